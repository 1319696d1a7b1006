/** The audit log arrives where it is streamed to: all of it, in its order, whatever fails in between. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createServer as createTlsServer, type Server as TlsServer, type TLSSocket } from "node:tls";
import type { Json } from "../../../../../testkit/src/http.ts";
import { listening } from "../../../../../testkit/src/listening.ts";
import { makeAdministrator } from "../../../../../testkit/src/operators.ts";
import { startTestServer } from "../../../../../testkit/src/server.ts";
import { waitFor } from "../../../../../testkit/src/wait.ts";
import type { AuditRow } from "../entries.ts";
import { syslogFrame } from "./lines.ts";
import { entriesBehind, takePlace } from "./place.ts";
import { sendEntries } from "./send.ts";

const ADMIN = "/_parley/admin/v1";

/** What collects: an HTTP server that refuses what it is sent first. */
async function startCollector() {
  const [asked, lookers] = [
    [] as { status: number; lines: Json[]; authorization?: string | undefined }[],
    new Set<() => void>(),
  ];
  const collector = { asked, url: "" };
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const lines = Buffer.concat(parts).toString().trim().split("\n");
      const status = asked.length === 0 ? 503 : 200;
      asked.push({
        status,
        lines: lines.map((line) => JSON.parse(line)),
        authorization: request.headers.authorization,
      });
      response.writeHead(status).end();
      for (const look of lookers) look();
    });
  });
  const open = await listening(server);
  collector.url = `http://127.0.0.1:${open.port}/parley`;
  const until = (what: string, check: () => boolean) =>
    waitFor({ what, check, listen: (again) => (lookers.add(again), () => void lookers.delete(again)) });
  const taken = () => asked.filter(({ status }) => status === 200).flatMap(({ lines }) => lines);
  return { collector, until, taken, [Symbol.asyncDispose]: () => open[Symbol.asyncDispose]() };
}

test("every entry arrives in its order, also those that were refused at first; operators see how far it is", async () => {
  await using there = await startCollector();
  const auditStream = { url: there.collector.url, authorization: "Splunk a-secret", ca: undefined };
  await using server = await startTestServer({ config: { auditStream } });
  const root = await makeAdministrator(server, "root");
  await root.call("POST", `${ADMIN}/users`, { username: "ana", display_name: "Ána" });
  await root.call("POST", `${ADMIN}/users/@ana:localhost/suspend`, { reason: "a lost laptop" });
  await there.until("it has the last one", () =>
    there.taken().some((each) => each.action === "users.suspend" && each.outcome === "done"),
  );
  assert.equal(there.collector.asked[0]?.status, 503);
  const lines = there.taken();
  assert.deepEqual(
    lines.map(({ position }) => position),
    lines.map((_, index) => index + 1),
  );
  const suspended = lines.at(-1);
  assert.deepEqual(
    [suspended.server, suspended.reason, suspended.target],
    ["localhost", "a lost laptop", "@ana:localhost"],
  );
  const stored = await entriesBehind(server.ctx.db.console, 0);
  assert.deepEqual(
    lines.map(({ hash }) => hash),
    stored.map(({ hash }) => hash),
  );
  assert.ok(there.collector.asked.every(({ authorization }) => authorization === "Splunk a-secret"));

  // The worker of the test no longer has the lease, so what is written here stays.
  await server.ctx.db.console.change(
    "update console.audit_stream set failing_since = now() - interval '1 hour', holder = 'another', held_until = now() + interval '1 hour'",
  );
  const state = await root.call("GET", `${ADMIN}/audit/stream`);
  assert.deepEqual([state.target, state.end], [new URL(there.collector.url).origin, lines.length]);
  assert.doesNotMatch(JSON.stringify(state), /a-secret/);
  const { attention } = await root.call("GET", `${ADMIN}/overview`);
  assert.ok(attention.some(({ kind }: Json) => kind === "audit_stream"));
});

test("one worker streams at a time", async () => {
  await using server = await startTestServer();
  const db = server.ctx.db.console;
  assert.ok(await takePlace(db, "one"));
  assert.equal(await takePlace(db, "two"), undefined);
  await db.change("update console.audit_stream set held_until = now() - interval '1 second'");
  assert.ok(await takePlace(db, "two"));
  const root = await makeAdministrator(server, "root");
  assert.equal((await root.call("GET", `${ADMIN}/audit/stream`)).target, null);
});

const row: AuditRow = {
  position: 7,
  time_us: 1_700_000_000_123_456,
  actor: "@root:localhost",
  via: "browser",
  address: "127.0.0.1",
  device: null,
  action: "users.suspend",
  target: "@ana:localhost",
  reason: "Übergabe",
  before: null,
  after: null,
  outcome: "denied",
  error: "M_FORBIDDEN",
  begun: null,
  previous: "00",
  hash: "0a",
};

test("a message of syslog has its length, its facility and severity, and its JSON in ASCII", () => {
  const frame = syslogFrame("chat.example.org", row);
  const [, length, rest] = /^(\d+) (.*)$/s.exec(frame) ?? [];
  assert.equal(Number(length), Buffer.byteLength(rest as string));
  assert.match(rest as string, /^<108>1 2023-11-14T22:13:20\.123Z chat\.example\.org parley - users\.suspend - \{/);
  assert.match(frame, /^[\x20-\x7e]+$/);
  const json = JSON.parse((rest as string).slice((rest as string).indexOf("{")));
  assert.deepEqual([json.reason, json.position], ["Übergabe", 7]);
  assert.match(syslogFrame("localhost", { ...row, outcome: "done" }), / ?<110>1 /);
});

/** A certificate for 127.0.0.1 that is its own authority. */
function makeCertificate(): { key: string; cert: string } {
  const directory = mkdtempSync(join(tmpdir(), "parley-syslog-"));
  const [key, cert] = [join(directory, "key.pem"), join(directory, "cert.pem")];
  const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  const wanted = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const made = spawnSync("openssl", [...wanted, ...subject, "-keyout", key, "-out", cert]);
  assert.equal(made.status, 0, String(made.stderr));
  const read = { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
  rmSync(directory, { recursive: true });
  return read;
}

test("over TLS syslog is taken when the other end closes in order, and a broken connection or a stranger is a failure", async () => {
  const own = makeCertificate();
  const got: string[] = [];
  let take = (socket: TLSSocket) => void socket.setEncoding("utf8").on("data", (text: string) => got.push(text));
  const server: TlsServer = createTlsServer({ ...own, allowHalfOpen: false }, (socket) => {
    socket.on("error", () => {});
    take(socket);
  });
  let raw: Socket | undefined;
  server.on("connection", (socket: Socket) => {
    raw = socket;
  });
  await using open = await listening(server);
  const url = `syslog+tls://127.0.0.1:${open.port}`;
  const send = (ca: string | undefined) => {
    const stream = { url, authorization: undefined, ca };
    return sendEntries({ stream, serverName: "localhost", rows: [row, row], signal: AbortSignal.timeout(20_000) });
  };
  await send(own.cert);
  assert.equal(got.join(""), syslogFrame("localhost", row).repeat(2));
  take = () => void raw?.resetAndDestroy();
  await assert.rejects(send(own.cert));
  await assert.rejects(send(undefined), /self-signed/);
});
