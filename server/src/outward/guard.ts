/**
 * Where this server may connect to when somebody else names the place: a saved connection of the explorer, and whatever else has an
 * address that a person typed. Three rules, each of which is tried on the corpus of guard.test.ts:
 *
 * 1. A host is a canonical IPv4 or IPv6 address or a DNS name, and nothing else that some library would understand: no octal or
 *    hexadecimal numbers, no `127.1`, no mapped or translated IPv6, no zone, no user, path, list or socket.
 * 2. What the operator allowed is allowed, and where `isPublicAllowed` the public internet is too. Link-local addresses, those of the metadata services of clouds, and what is no address
 *    of one machine never are. Loopback is where it is allowed by its address or as `localhost`.
 * 3. A name is resolved once, all its addresses must be allowed, and the connection is made to an address (`Place.addresses`): a
 *    name that answers otherwise a moment later changes nothing.
 */
import { lookup as lookupInDns } from "node:dns/promises";
import { BlockList, isIPv4, isIPv6 } from "node:net";
import { asError, matrixError, type MatrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { realSeams } from "../seams.ts";
import { limitedLookup } from "./lookups.ts";

/** What an operator allows, such as `db.example.org, *.data.example.org, 10.1.0.0/16, [2001:db8::7]:5433`. */
export interface Allowed {
  /** As it was written, for sentences. */
  text: string;
  rules: readonly Rule[];
}

interface Rule {
  /** In lower case; `*.` in front stands for one or more labels. */
  name?: string;
  network?: Networks;
  /** Any port where there is none. */
  port?: number;
}

/** One list for each family: a list takes an IPv4 address for the mapped IPv6 one that stands for it, and here each is itself. */
type Networks = Readonly<Record<"ipv4" | "ipv6", BlockList>>;

/** Where to connect: one host by the addresses that it had at one moment. */
export interface Place {
  /** As it was asked for: what a certificate must be for. */
  host: string;
  port: number;
  /** At least one, in the order to try them. */
  addresses: readonly string[];
}

/** Gives the addresses of a DNS name. */
export type Lookup = (name: string) => Promise<readonly string[]>;

const resolve: Lookup = async (name) =>
  (await lookupInDns(name, { all: true, order: "verbatim" })).map(({ address }) => address);

/** One for the process, as the threads are that it takes. */
export const lookup: Lookup = limitedLookup(resolve, realSeams);

/** Networks that nobody may be sent to, allowed or not. */
const never = networksOf([
  // "This host", link-local with the metadata services of most clouds, multicast, reserved, broadcast.
  "0.0.0.0/8",
  "169.254.0.0/16",
  "224.0.0.0/4",
  "240.0.0.0/4",
  // Metadata and control services that are elsewhere: Alibaba Cloud, Oracle Cloud, Azure, Amazon on IPv6.
  "100.100.100.200/32",
  "192.0.0.0/24",
  "168.63.129.16/32",
  "fd00:ec2::/32",
  // IPv6 that stands for IPv4: compatible, mapped, translated (NAT64), 6to4, Teredo. And `::`.
  "::/96",
  "::ffff:0:0/96",
  "::ffff:0:0:0/96",
  "64:ff9b::/96",
  "64:ff9b:1::/48",
  "2002::/16",
  "2001::/32",
  // Link-local, the old site-local, multicast, discard.
  "fe80::/10",
  "fec0::/10",
  "ff00::/8",
  "100::/64",
]);

const loopback = networksOf(["127.0.0.0/8", "::1/128"]);

/** Addresses that are no one's on the public internet: private networks, those of providers, of benchmarks and of documents. */
const inside = networksOf([
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "172.16.0.0/12",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  // Of IPv6 only 2000::/3 is given out, and these parts of it are not.
  "::/3",
  "4000::/2",
  "8000::/1",
  "2001::/23",
  "2001:db8::/32",
  "3fff::/20",
]);

/** Throws Error with a sentence about the entry that is none. */
export function readAllowed(text: string): Allowed {
  const entries = text.split(",").map((each) => each.trim());
  return { text, rules: entries.filter((entry) => entry !== "").map(readRule) };
}

function readRule(entry: string): Rule {
  const { host, port } = splitPort(entry);
  const rule = port === undefined ? {} : { port };
  if (/^[0-9a-f.:]+(\/\d{1,3})?$/i.test(host)) {
    const network = readNetwork(host);
    if (network) return { ...rule, network };
  }
  const name = host.toLowerCase();
  if (isName(name.startsWith("*.") ? name.slice(2) : name)) return { ...rule, name };
  throw new Error(
    `"${entry}" is neither a host such as db.example.org or *.example.org, nor an address or network such as 10.1.0.0/16; a port may follow (db.example.org:5433, [2001:db8::7]:5433)`,
  );
}

function splitPort(entry: string): { host: string; port?: number } {
  const bracketed = /^\[([^\]]*)\](?::(\d{1,5}))?$/.exec(entry);
  const plain = /^([^:]*):(\d{1,5})$/.exec(entry);
  const [, host = entry, digits] = bracketed ?? plain ?? [];
  if (digits === undefined) return { host };
  const port = Number(digits);
  if (port < 1 || port > 65_535) throw new Error(`"${entry}" has a port that is none`);
  return { host, port };
}

function readNetwork(text: string): Networks | undefined {
  const [address = "", bits] = text.split("/");
  const isRight = isIPv4(address) || isIPv6(address);
  const most = isIPv4(address) ? 32 : 128;
  if (!isRight || (bits !== undefined && Number(bits) > most)) return undefined;
  return networksOf([`${address}/${bits ?? most}`]);
}

function networksOf(texts: readonly string[]): Networks {
  const networks = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const text of texts) {
    const [address = "", bits] = text.split("/");
    const family = familyOf(address);
    networks[family].addSubnet(address, Number(bits), family);
  }
  return networks;
}

function familyOf(address: string): keyof Networks {
  return isIPv4(address) ? "ipv4" : "ipv6";
}

function has(networks: Networks, address: string): boolean {
  const family = familyOf(address);
  return networks[family].check(address, family);
}

const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/i;

/** Whether it can be nothing but a DNS name: some resolvers take a last label of digits, or 0x…, for a part of an IPv4 address. */
function isName(host: string): boolean {
  if (host.length > limits.hostName_characters) return false;
  const labels = host.split(".");
  const last = labels.at(-1) ?? "";
  return labels.every((label) => LABEL.test(label)) && /[a-z]/i.test(last) && !/^0x[0-9a-f]*$/i.test(last);
}

export interface Asked {
  host: string;
  port: number;
}

export interface GuardOptions {
  allowed: Allowed;
  /** What the operator changes to allow more: a sentence says it. */
  setting: string;
  /** Whether what has a public address is allowed without being named: where people name servers of their own choice. */
  isPublicAllowed?: boolean;
  lookup?: Lookup;
}

/** Resolves a host once and says where to connect. Throws M_FORBIDDEN for what is not allowed, M_INVALID_PARAM for what is no host. */
export async function placeFor({ host, port }: Asked, options: GuardOptions): Promise<Place> {
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw matrixError("M_INVALID_PARAM", "The port is no whole number from 1 to 65535.");
  if (isIPv4(host) || isPlainIPv6(host)) {
    refuseAddress({ host, port, address: host }, options);
    return { host, port, addresses: [host] };
  }
  if (!isName(host))
    throw matrixError(
      "M_INVALID_PARAM",
      "The host is neither a DNS name nor an address in its usual form, such as db.example.org, 192.0.2.7 or 2001:db8::7.",
    );
  // A name that no rule can allow is not even looked up: a look-up tells its server something.
  if (
    !options.isPublicAllowed &&
    !options.allowed.rules.some((rule) => rule.network || matchesName(rule, { host, port }))
  )
    throw refused(host, options);
  const addresses = await addressesOf(host, options.lookup ?? lookup);
  for (const address of addresses) refuseAddress({ host, port, address }, options);
  return { host, port, addresses };
}

/** Without a zone (`%eth0`), and without an IPv4 address at its end. */
function isPlainIPv6(host: string): boolean {
  return isIPv6(host) && /^[0-9a-f:]+$/i.test(host);
}

async function addressesOf(host: string, resolve: Lookup): Promise<readonly string[]> {
  let addresses: readonly string[];
  try {
    addresses = await resolve(host);
  } catch (thrown) {
    const { code } = asError(thrown) as NodeJS.ErrnoException;
    throw matrixError("M_NOT_FOUND", `The name ${host} has no address (${code ?? "the look-up failed"}).`);
  }
  if (addresses.length === 0) throw matrixError("M_NOT_FOUND", `The name ${host} has no address.`);
  return addresses.slice(0, limits.hostAddresses);
}

interface Candidate extends Asked {
  address: string;
}

function refuseAddress(candidate: Candidate, options: GuardOptions): void {
  const { host, address } = candidate;
  if (!isIPv4(address) && !isPlainIPv6(address)) throw refused(host, options);
  // ::1 is one of the addresses that stand for IPv4.
  if (has(never, address) && !has(loopback, address))
    throw matrixError(
      "M_FORBIDDEN",
      `${host === address ? host : `${host} is ${address}, which`} is never connected to: it is an address of this network's own services, or of no one machine.`,
    );
  if (options.isPublicAllowed && !has(inside, address)) return;
  if (!options.allowed.rules.some((rule) => allows(rule, candidate))) throw refused(host, options);
}

function allows(rule: Rule, { host, port, address }: Candidate): boolean {
  if (rule.network) return (rule.port ?? port) === port && has(rule.network, address);
  return matchesName(rule, { host, port }) && (!has(loopback, address) || rule.name === "localhost");
}

function matchesName({ name, port: only }: Rule, { host, port }: Asked): boolean {
  if (name === undefined || (only ?? port) !== port) return false;
  const asked = host.toLowerCase();
  return name.startsWith("*.") ? asked.endsWith(name.slice(1)) : asked === name;
}

function refused(host: string, { allowed, setting, isPublicAllowed }: GuardOptions): MatrixError {
  const what = allowed.rules.length === 0 && !isPublicAllowed ? "No host is allowed" : `${host} is not allowed`;
  return matrixError(
    "M_FORBIDDEN",
    `${what} by ${setting}. Whoever runs this server can add it there: ${setting}=${[allowed.text.trim(), host].filter((each) => each !== "").join(",")}`,
  );
}
