/** Traces of two processes, received by a collector that speaks OTLP over HTTP. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { type Json, registerPerson } from "../../../testkit/src/http.ts";
import { createRoom } from "../../../testkit/src/room.ts";
import { startTestServer, type TestServer, untilSyncsWait } from "../../../testkit/src/server.ts";
import type { Config } from "../config.ts";

interface Span {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId: string;
  roles: string;
  attributes: Record<string, unknown>;
}

const received: Span[] = [];
const asked: IncomingHttpHeaders[] = [];
const collector = createServer((request, response) => {
  asked.push(request.headers);
  void request.toArray().then((chunks) => {
    const { resourceSpans } = JSON.parse(Buffer.concat(chunks as Buffer[]).toString());
    for (const { resource, scopeSpans } of resourceSpans)
      for (const { spans } of scopeSpans)
        for (const span of spans)
          received.push({
            ...span,
            roles: valueOf(resource.attributes)["parley.roles"],
            attributes: valueOf(span.attributes),
          });
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
}).listen(0, "127.0.0.1");
await once(collector, "listening");
after(() => void collector.close());

function valueOf(attributes: Json[]): Record<string, string> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/`;
const traces = (ratio: number): NonNullable<Config["traces"]> => ({ endpoint, headers: { "x-key": "secret" }, ratio });

/** Who writes at one process, and a long poll at the other; gives the spans when both have stopped, which sends them. */
async function converse(config: Partial<Config>, headers: Record<string, string> = {}): Promise<Span[]> {
  received.length = 0;
  const here = await startTestServer({ config: { ...config, roles: ["auth", "messages"], bus: "postgresql" } });
  let there: TestServer | undefined;
  try {
    there = await startTestServer({
      config: { ...config, roles: ["gateway"], bus: "postgresql" },
      databaseUrl: here.databaseUrl,
    });
    const alice = await registerPerson(here.url, "alice");
    const room = await createRoom(alice);
    const sync = (query: string) =>
      fetch(`${there?.url}/_matrix/client/v3/sync?${query}`, { headers: { authorization: `Bearer ${alice.token}` } });
    const { next_batch } = await (await sync("timeout=0")).json();
    const waiting = sync(`timeout=30000&since=${next_batch}`);
    await untilSyncsWait(there ?? here, 1);
    await fetch(`${here.url}${room.path}/send/m.room.message/t1`, {
      method: "PUT",
      headers: { authorization: `Bearer ${alice.token}`, "content-type": "application/json", ...headers },
      body: JSON.stringify({ msgtype: "m.text", body: "a secret word" }),
    });
    assert.match(await (await waiting).text(), /a secret word/);
  } finally {
    await there?.stop();
    await here.stop();
  }
  return received;
}

test("a trace goes from the request through the append to the delivery by another process", async () => {
  const spans = await converse({ traces: traces(1) });
  const send = spans.find(({ name }) => name.startsWith("PUT ") && name.includes("/send/"));
  assert.ok(send);
  assert.equal(send.attributes["http.response.status_code"], 200);
  const ofTrace = spans.filter(({ traceId }) => traceId === send.traceId);
  const append = ofTrace.find(({ name }) => name === "append");
  assert.equal(append?.parentSpanId, send.spanId);
  const told = ofTrace.find(({ name }) => name === "deliver by sync");
  assert.equal(told?.parentSpanId, append?.spanId);
  assert.deepEqual([send.roles, told?.roles], ["auth,messages", "gateway"]);
  assert.ok(asked.every((headers) => headers["x-key"] === "secret"));
});

test("spans say nothing of what was written, by whom, or where", async () => {
  const spans = await converse({ traces: traces(1) });
  assert.ok(spans.length > 3);
  assert.doesNotMatch(JSON.stringify(spans), /secret word|alice|%21|![A-Za-z0-9_-]{20}|syt_|Bearer/);
});

test("a caller's word that its request is to be recorded counts where the caller is trusted", async () => {
  const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
  const isTheirs = ({ traceId }: Span) => traceId === "a".repeat(32);
  const believed = await converse({ traces: traces(0), trustedProxies: ["127.0.0.1"] }, { traceparent });
  assert.deepEqual(
    believed
      .filter(isTheirs)
      .map(({ name }) => name.split(" ")[0])
      .toSorted((a, b) => (a as string).localeCompare(b as string)),
    ["append", "deliver", "PUT"],
  );
  assert.equal(believed.every(isTheirs), true);
  assert.deepEqual(await converse({ traces: traces(0) }, { traceparent }), []);
});
