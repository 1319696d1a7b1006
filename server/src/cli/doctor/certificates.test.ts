/** Certificates of their own at each kind of address: expired, soon to expire, and good. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer as createTcp, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { createServer as createTls, type TLSSocket, TLSSocket as Secured } from "node:tls";
import { listening } from "../../../../testkit/src/listening.ts";
import { startMail } from "../../../../testkit/src/mail.ts";
import { temporaryDirectory } from "../../../../testkit/src/process.ts";
import { freePort } from "../../../../testkit/src/ports.ts";
import { missingService, startService } from "../../../../testkit/src/services.ts";
import { readConfig } from "../../config.ts";
import { realSeams } from "../../seams.ts";
import { certificates } from "./certificates.ts";
import type { Finding, Patient } from "./finding.ts";

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

const examine = (env: Record<string, string>): Promise<Finding[]> =>
  certificates.look({ config: readConfig(env), seams: realSeams } as unknown as Patient);

/** Which state is said of what. */
const states = (found: readonly Finding[]) =>
  Object.fromEntries(found.map(({ state, says }) => [/ (?:of|in) (\S+?)[, ]/.exec(says)?.[1], state]));

test("certificates that expired or soon will are found, at each kind of address", { skip: openssl }, async () => {
  const [expired, soon, good] = [certificate(-1), certificate(3), certificate(100)];
  await using redis = await listening(createTls(soon));
  await using rabbit = await listening(createTls(expired));
  await using mail = await listening(createTls(soon));
  await using nats = await listening(secureLater('INFO {"tls_required":true}\r\n', false, good));
  await using database = await listening(secureLater("S", true, expired));
  const found = await examine({
    DATABASE_URL: `postgres://parley@127.0.0.1:${database.port}/parley?sslmode=require`,
    REDIS_URL: `rediss://127.0.0.1:${redis.port}`,
    NATS_URL: `tls://127.0.0.1:${nats.port}`,
    RABBITMQ_URL: `amqps://127.0.0.1:${rabbit.port}`,
    SMTP_URL: `smtps://parley:secret@127.0.0.1:${mail.port}`,
    PARLEY_PUBLIC_URL: "https://127.0.0.1:1",
  });
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

test(
  "so are those of everything else that is spoken to with TLS, and settings in files are read",
  { skip: openssl },
  async () => {
    const [expired, soon, good] = [certificate(-1), certificate(3), certificate(100)];
    await using store = await listening(createTls(expired));
    await using collector = await listening(createTls(soon));
    await using vault = await listening(createTls(good));
    await using siem = await listening(createTls(expired));
    await using provider = await listening(createTls(soon));
    const file = (name: string, text: string) => {
      writeFileSync(join(directory.path, name), text);
      return `file://${join(directory.path, name)}`;
    };
    const port = (server: { port: number }) => `127.0.0.1:${server.port}`;
    const sso = [{ id: "a", name: "A", issuer: `https://${port(provider)}`, client_id: "parley" }];
    const found = await examine({
      REDIS_URL: file("redis", `rediss://${port(collector)}\n`),
      STORAGE_PROVIDER: "s3",
      S3_BUCKET: "media",
      S3_ENDPOINT: `https://${port(store)}`,
      OTEL_EXPORTER_OTLP_ENDPOINT: `https://${port(collector)}`,
      SECRETS_PROVIDER: "vault",
      VAULT_ADDR: `https://${port(vault)}`,
      VAULT_TOKEN: "token",
      PARLEY_AUDIT_STREAM: `syslog+tls://${port(siem)}`,
      PARLEY_AUDIT_STREAM_CA: file("ca", String(soon.cert)),
      PARLEY_SSO_PROVIDERS: file("providers", JSON.stringify(sso)),
      NATS_URL: `file://${join(directory.path, "nobody")}`,
    });
    assert.deepEqual(
      states(found),
      {
        REDIS_URL: "warning",
        S3_ENDPOINT: "failure",
        "SECRETS_PROVIDER=vault": "ok",
        PARLEY_AUDIT_STREAM: "failure",
        PARLEY_AUDIT_STREAM_CA: "warning",
        PARLEY_SSO_PROVIDERS: "warning",
        NATS_URL: "failure",
      },
      JSON.stringify(found, null, 1),
    );
    assert.ok(found.some(({ says }) => /REDIS_URL, OTEL_EXPORTER_OTLP_ENDPOINT \(127/.test(says)));
  },
);

test("a database's certificates in files, and one that is not good yet", { skip: openssl }, async () => {
  const [expired, soon, good] = [certificate(-1), certificate(3), certificate(100)];
  await using server = await listening(secureLater("S", true, good));
  const file = (name: string, ...parts: { cert: Buffer }[]) => {
    writeFileSync(join(directory.path, name), parts.map(({ cert }) => String(cert)).join("\n"));
    return join(directory.path, name);
  };
  const [client, bundle] = [file("client.pem", good, soon), file("bundle.pem", expired, good)];
  const DATABASE_URL = `postgres://parley@127.0.0.1:${server.port}/parley?sslmode=require&sslcert=${client}&sslrootcert=${bundle}`;
  const found = await examine({ DATABASE_URL });
  // A chain is as good as its worst link, and a bundle of authorities as its best.
  assert.deepEqual(
    found.map(({ state }) => state),
    ["ok", "warning", "ok"],
    JSON.stringify(found, null, 1),
  );
  const seams = { ...realSeams, now_ms: () => realSeams.now_ms() - 400 * 86_400_000 };
  const [early] = await certificates.look({ config: readConfig({ DATABASE_URL }), seams } as unknown as Patient);
  assert.deepEqual([early?.state, /is good from \S+ on only/.test(early?.says ?? "")], ["failure", true]);
});

test("a mail server is asked for TLS as the mailer asks, and may have none", { skip: openssl }, async () => {
  const look = async (tls?: { key: Buffer; cert: Buffer }) => {
    await using mail = await startMail(tls);
    return (await examine({ SMTP_URL: mail.url }))[0];
  };
  const late = await look(certificate(-1));
  assert.deepEqual([late?.state, /SMTP_URL .*expired on/.test(late?.says ?? "")], ["failure", true], late?.says);
  const plain = await look();
  assert.deepEqual([plain?.state, /offers no TLS/.test(plain?.says ?? "")], ["ok", true], plain?.says);
});

test("a real Redis with a certificate that ends soon", { skip: openssl || missingService("redis") }, async () => {
  certificate(3);
  const [port, path] = [await freePort(), join(directory.path, "3")];
  const files = `tls-cert-file ${path}.pem\ntls-key-file ${path}.key\ntls-ca-cert-file ${path}.pem`;
  await using redis = await startService("redis", `tls-port ${port}\ntls-auth-clients no\n${files}\n`);
  assert.ok(redis.url);
  const [found] = await examine({ REDIS_URL: `rediss://127.0.0.1:${port}` });
  assert.deepEqual([found?.state, /REDIS_URL .*expires in [23] days/.test(found?.says ?? "")], ["warning", true]);
});
