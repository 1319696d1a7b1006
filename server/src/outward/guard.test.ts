import assert from "node:assert/strict";
import { test } from "node:test";
import { MatrixError } from "../errors.ts";
import { type Lookup, placeFor, readAllowed } from "./guard.ts";

const setting = "PARLEY_EXPLORER_HOSTS";

/** What an attacker's name server says. */
const names: Record<string, readonly string[]> = {
  "db.example.org": ["192.0.2.10"],
  "two.example.org": ["192.0.2.10", "192.0.2.11"],
  "six.example.org": ["2001:db8::10"],
  "private.example.org": ["10.9.8.7"],
  "loop.example.org": ["127.0.0.1"],
  "loop6.example.org": ["::1"],
  "mixed.example.org": ["192.0.2.10", "169.254.169.254"],
  "metadata.example.org": ["169.254.169.254"],
  "mapped.example.org": ["::ffff:10.0.0.1"],
  "mapped-hex.example.org": ["::ffff:a00:1"],
  "nat64.example.org": ["64:ff9b::a9fe:a9fe"],
  "zone.example.org": ["fe80::1%eth0"],
  "zero.example.org": ["0.0.0.0"],
  "azure.example.org": ["168.63.129.16"],
  "empty.example.org": [],
  localhost: ["127.0.0.1"],
};
/** It knows every other name too, as resolvers do that take `0x7f.1` for an address: what must be refused is refused before. */
const lookup: Lookup = async (name) => names[name.toLowerCase()] ?? ["192.0.2.1"];

async function outcome(host: string, rules: string, port = 5432): Promise<string> {
  try {
    const { addresses } = await placeFor({ host, port }, { allowed: readAllowed(rules), setting, lookup });
    return addresses.join(" ");
  } catch (thrown) {
    assert(thrown instanceof MatrixError, `${host}: ${String(thrown)}`);
    return thrown.errcode;
  }
}

/** An IPv4 address as the libraries of this world read it: in octal, in hexadecimal, as one number, with parts left out. */
function disguises(address: string): string[] {
  const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
  const whole = ((a * 256 + b) * 256 + c) * 256 + d;
  const octal = (part: number) => `0${part.toString(8)}`;
  const hex = (part: number) => `0x${part.toString(16)}`;
  const hextets = `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  return [
    [a, b, c, d].map(octal).join("."),
    [a, b, c, d].map(hex).join("."),
    `${octal(a)}.${b}.${c}.${d}`,
    `${hex(a)}.${b}.${c}.${d}`,
    `${a}.${b}.${c * 256 + d}`,
    `${a}.${(b * 256 + c) * 256 + d}`,
    `${whole}`,
    `0x${whole.toString(16)}`,
    `0${whole.toString(8)}`,
    `${a}.${b}.${c}.${d}.`,
    `00${a}.${b}.${c}.${d}`,
    ` ${address}`,
    `${address} `,
    `[${address}]`,
    `::ffff:${address}`,
    `::ffff:${hextets}`,
    `0:0:0:0:0:ffff:${hextets}`,
    `[::ffff:${address}]`,
    `::ffff:0:${address}`,
    `::${address}`,
    `::${hextets}`,
    `64:ff9b::${address}`,
    `64:ff9b::${hextets}`,
    `64:ff9b:1::${hextets}`,
    `2002:${hextets}::1`,
    `2001:0:${hextets}::1`,
    `${address}%00`,
    `${address}\n`,
    `user@${address}`,
    `${address}/24`,
    `${address}:5432`,
    `${address},db.example.org`,
    `db.example.org,${address}`,
    `//${address}`,
    `postgres://${address}`,
    address.replaceAll(".", "。"),
    address.replaceAll(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
    `①${address.slice(1)}`,
  ];
}

/** Hosts that no rule may open: everything is allowed here that can be. */
const everything = "0.0.0.0/0,::/0,*.example.org,localhost";
const closed: readonly string[] = [
  ["127.0.0.1", "169.254.169.254", "10.0.0.1", "192.168.1.1"].flatMap(disguises),
  ["0.0.0.0", "0.1.2.3", "169.254.0.1", "169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192"],
  ["168.63.129.16", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "fd00:ec2::254"],
  ["::", "fe80::1", "fe80::1%eth0", "fe80::1%25eth0", "febf::1", "fec0::1", "ff02::1", "100::1", "2001::1"],
  ["::ffff:0:0", "64:ff9b::", "2002::", "[::1]", "[::1]:5432", "::1%lo", "0:0:0:0:0:0:0:1%1", "::1/128"],
  ["", ".", "..", "-", "a..b", ".example.org", "db.example.org.", "-db.example.org", "db-.example.org"],
  ["db.example.org/x", "db.example.org?x", "db.example.org#x", "db.example.org:5432", "db.example.org\\x"],
  ["/var/run/postgresql", "/tmp", "@parley", "./socket", "file:///etc/passwd", "unix:/tmp/x", "%2Ftmp"],
  ["service=prod", "host=evil", "db.example.org options=-csearch_path=x", "a'b.example.org", 'a"b.example.org'],
  ["db.example.org\u0000.evil", "db.example.org\r\nx", "db\t.example.org", "d b.example.org", "db。example。org"],
  ["1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.256", "1e1.1.1.1", "0x7f.1", "127.1", "127.0x1", "+127.0.0.1"],
  ["example.1", "a.0x7f", "a.0x", "a.08", `${"a".repeat(64)}.example.org`, `${"a.".repeat(130)}example.org`],
  ["mixed.example.org", "metadata.example.org", "mapped.example.org", "mapped-hex.example.org"],
  ["nat64.example.org", "zone.example.org", "zero.example.org", "azure.example.org", "empty.example.org"],
].flat();

test("a host that is disguised, or never right, is refused whatever is allowed", async () => {
  assert(new Set(closed).size >= 200, `${new Set(closed).size} forms`);
  for (const host of closed)
    assert.match(await outcome(host, everything), /^M_(FORBIDDEN|INVALID_PARAM|NOT_FOUND)$/, JSON.stringify(host));
});

test("nothing is allowed by default", async () => {
  for (const host of ["db.example.org", "192.0.2.10", "127.0.0.1", "localhost", "10.0.0.1", "2001:db8::10"])
    assert.equal(await outcome(host, ""), "M_FORBIDDEN", host);
});

test("what is allowed is connected to by the addresses that it had", async () => {
  assert.equal(await outcome("db.example.org", "db.example.org"), "192.0.2.10");
  assert.equal(await outcome("DB.Example.org", "db.example.org"), "192.0.2.10");
  assert.equal(await outcome("two.example.org", "*.example.org"), "192.0.2.10 192.0.2.11");
  assert.equal(await outcome("six.example.org", "2001:db8::/32"), "2001:db8::10");
  assert.equal(await outcome("192.0.2.10", "192.0.2.0/24"), "192.0.2.10");
  assert.equal(await outcome("2001:db8::10", "[2001:db8::10]"), "2001:db8::10");
  assert.equal(await outcome("::1", "::1"), "::1");
  assert.equal(await outcome("127.0.0.1", "127.0.0.0/8"), "127.0.0.1");
  assert.equal(await outcome("localhost", "localhost"), "127.0.0.1");
});

test("a rule allows no more than it says", async () => {
  assert.equal(await outcome("evil-example.org", "*.example.org"), "M_FORBIDDEN");
  assert.equal(await outcome("example.org", "*.example.org"), "M_FORBIDDEN");
  assert.equal(await outcome("xdb.example.org", "db.example.org"), "M_FORBIDDEN");
  assert.equal(await outcome("192.0.3.1", "192.0.2.0/24"), "M_FORBIDDEN");
  assert.equal(await outcome("192.0.2.10", "::/0"), "M_FORBIDDEN");
  assert.equal(await outcome("192.0.2.10", "::ffff:0:0/96"), "M_FORBIDDEN");
  assert.equal(await outcome("2001:db8::10", "0.0.0.0/0"), "M_FORBIDDEN");
  assert.equal(await outcome("two.example.org", "192.0.2.10"), "M_FORBIDDEN");
  assert.equal(await outcome("db.example.org", "db.example.org:5433"), "M_FORBIDDEN");
  assert.equal(await outcome("db.example.org", "db.example.org:5433", 5433), "192.0.2.10");
});

test("a name that is allowed may be in a private network, and not this machine", async () => {
  assert.equal(await outcome("private.example.org", "private.example.org"), "10.9.8.7");
  assert.equal(await outcome("loop.example.org", "loop.example.org"), "M_FORBIDDEN");
  assert.equal(await outcome("loop6.example.org", "*.example.org"), "M_FORBIDDEN");
  assert.equal(await outcome("loop.example.org", "loop.example.org,127.0.0.1"), "127.0.0.1");
});

test("a name is looked up once, and never where no rule could allow it", async () => {
  let asked = 0;
  const rebinding: Lookup = async () => (asked++ === 0 ? ["192.0.2.10"] : ["127.0.0.1"]);
  const allowed = readAllowed("db.example.org");
  const place = await placeFor({ host: "db.example.org", port: 5432 }, { allowed, setting, lookup: rebinding });
  assert.deepEqual(place.addresses, ["192.0.2.10"]);
  await assert.rejects(placeFor({ host: "other.example.org", port: 5432 }, { allowed, setting, lookup: rebinding }));
  assert.equal(asked, 1);
});

test("where the public internet is allowed, what is inside is not, whatever its name", async () => {
  const guard = { allowed: readAllowed("10.9.0.0/16,localhost"), setting, lookup, isPublicAllowed: true };
  const reach = async (host: string) =>
    placeFor({ host, port: 443 }, guard).then(
      ({ addresses }) => addresses.join(" "),
      (thrown: unknown) => (thrown as MatrixError).errcode,
    );
  for (const address of ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2600::1", "2a00:1450::1"])
    assert.equal(await reach(address), address);
  const insides = ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "127.0.0.1", "192.0.2.1"];
  for (const address of [...insides, "::1", "fd00::1", "fc00::1", "2001:db8::1", "2001:10::1", "169.254.169.254"])
    assert.equal(await reach(address), "M_FORBIDDEN", address);
  for (const name of ["loop.example.org", "loop6.example.org", "mixed.example.org", "metadata.example.org"])
    assert.equal(await reach(name), "M_FORBIDDEN", name);
  assert.equal(await reach("private.example.org"), "10.9.8.7", "what the operator names is allowed all the same");
  assert.equal(await reach("localhost"), "127.0.0.1");
  for (const disguise of disguises("10.0.0.1")) assert.match(await reach(disguise), /^M_/, disguise);
});

test("a rule that is none is told with its text", () => {
  for (const wrong of ["http://x", "10.0.0.0/33", "a b", "db.example.org:0", "db.example.org:70000", "*", "*.*.org"])
    assert.throws(
      () => readAllowed(wrong),
      (error: Error) => error.message.includes(wrong),
      wrong,
    );
});
