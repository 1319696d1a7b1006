/** Certificates of their own at each kind of address: expired, soon to expire, and good. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer as createTcp, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { createServer as createTls, type TLSSocket, TLSSocket as Secured } from "node:tls";
import { listening } from "../../../../testkit/src/listening.ts";
import { temporaryDirectory } from "../../../../testkit/src/process.ts";
import { readConfig } from "../../config.ts";
import { realSeams } from "../../seams.ts";
import { certificates } from "./certificates.ts";
import type { Patient } from "./finding.ts";

const directory = temporaryDirectory();
after(() => directory[Symbol.dispose]());

const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
/** For a key that needs no password, and what it is of. */
const request = ["req", "-new", ...curve, "-nodes", "-subj", "/CN=localhost"];

/** A certificate of its own that ends in so many days. */
function certificate(days: number): { key: Buffer; cert: Buffer } {
  const [key, cert] = [join(directory.path, `${days}.key`), join(directory.path, `${days}.pem`)];
  const date = (at: number) => new Date(at).toISOString().replaceAll(/[-:T]|\.\d+/g, "");
  const until_ms = Date.now() + days * 86_400_000 + 3_600_000;
  const dates = ["-not_before", date(Date.now() - 90 * 86_400_000), "-not_after", date(until_ms)];
  const made = spawnSync("openssl", [...request, "-x509", "-keyout", key, "-out", cert, ...dates]);
  if (made.status !== 0) {
    // Older ones take whole days from now only, also negative ones.
    const csr = join(directory.path, `${days}.csr`);
    spawnSync("openssl", [...request, "-keyout", key, "-out", csr]);
    const sign = ["x509", "-req", "-in", csr, "-signkey", key, "-days", `${days}`, "-out", cert];
    const signed = spawnSync("openssl", sign);
    assert.equal(signed.status, 0, String(signed.stderr));
  }
  return { key: readFileSync(key), cert: readFileSync(cert) };
}

/** PostgreSQL's and NATS's way into TLS. */
function secureLater(first: string, isAsked: boolean, { key, cert }: { key: Buffer; cert: Buffer }): Server {
  return createTcp((socket: Socket) => {
    socket.on("error", () => {});
    const secure = () => {
      socket.write(first);
      const secured: TLSSocket = new Secured(socket, { isServer: true, key, cert });
      secured.on("error", () => {});
    };
    if (isAsked) socket.once("data", secure);
    else secure();
  });
}

const openssl = spawnSync("openssl", ["version"]).status === 0 ? false : "openssl is not installed";

test("certificates that expired or soon will are found, at each kind of address", { skip: openssl }, async () => {
  const [expired, soon, good] = [certificate(-1), certificate(3), certificate(100)];
  await using redis = await listening(createTls(soon));
  await using rabbit = await listening(createTls(expired));
  await using mail = await listening(createTls(soon));
  await using nats = await listening(secureLater('INFO {"tls_required":true}\r\n', false, good));
  await using database = await listening(secureLater("S", true, expired));
  const config = readConfig({
    DATABASE_URL: `postgres://parley@127.0.0.1:${database.port}/parley?sslmode=require`,
    REDIS_URL: `rediss://127.0.0.1:${redis.port}`,
    NATS_URL: `tls://127.0.0.1:${nats.port}`,
    RABBITMQ_URL: `amqps://127.0.0.1:${rabbit.port}`,
    SMTP_URL: `smtps://parley:secret@127.0.0.1:${mail.port}`,
    PARLEY_PUBLIC_URL: "https://127.0.0.1:1",
  });
  const found = await certificates.look({ config, seams: realSeams } as unknown as Patient);
  assert.deepEqual(
    found.map(({ state, says }) => [/(\w+_URL)/.exec(says)?.[1], state]),
    [
      ["DATABASE_URL", "failure"],
      ["REDIS_URL", "warning"],
      ["NATS_URL", "ok"],
      ["RABBITMQ_URL", "failure"],
      ["SMTP_URL", "warning"],
      ["PARLEY_PUBLIC_URL", "failure"],
    ],
    JSON.stringify(found, null, 1),
  );
  assert.match(found[0]?.says ?? "", /expired on/);
  assert.match(found[1]?.says ?? "", /expires in [23] days/);
});
