/** The gateway in front of the other roles: real servers behind it, and plain ones that fail in the ways that matter. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, request as ask, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { registerPerson, request } from "../../../testkit/src/http.ts";
import { createRoom } from "../../../testkit/src/room.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { uncheckedFetch } from "../../../testkit/src/checked-fetch.ts";
import { soon } from "../../../testkit/src/wait.ts";
import { limits } from "../limits.ts";
import { roleNames, roles } from "../roles.ts";
import { isRepeatable } from "./repeatable.ts";

type Upstream = AsyncDisposable & { url: string; heard: string[] };

/** A plain server in the place of a role. It says that it is ready, and answers the rest as it is told. */
async function startUpstream(answer: RequestListener): Promise<Upstream> {
  const heard: string[] = [];
  const server = createServer((incoming, outgoing) => {
    if (incoming.url === "/health/ready") return void outgoing.end();
    heard.push(`${incoming.method} ${incoming.url}`);
    answer(incoming, outgoing);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, heard, [Symbol.asyncDispose]: close };
}

/** An address at which nobody listens. */
async function nobody(): Promise<string> {
  const upstream = await startUpstream(() => {});
  await upstream[Symbol.asyncDispose]();
  return upstream.url;
}

const json: RequestListener = (incoming, outgoing) => {
  incoming
    .resume()
    .once("end", () => outgoing.setHeader("content-type", "application/json").end(`{"versions":["v1.19"]}`));
};
const cut: RequestListener = (incoming) => void incoming.resume().once("end", () => incoming.socket.destroy());

/** A gateway alone, with these processes for the role auth and for the role messages. */
function startGateway(urls: readonly string[]) {
  return startTestServer({ config: { roles: ["gateway"], upstreams: { auth: urls, messages: urls, media: urls } } });
}

const SEND = "/_matrix/client/v3/rooms/!a:b/send/m.room.message/t1";
const VERSIONS = "/_matrix/client/versions";
const call = (url: string, method: string, body?: string) => uncheckedFetch(url, { method, ...(body ? { body } : {}) });

test("through a gateway in front of the other roles a person does what they do at one process", async () => {
  await using rest = await startTestServer({
    config: { roles: roleNames.filter((role) => role !== "gateway"), trustedProxies: ["127.0.0.1"] },
  });
  const others = roleNames.filter((role) => role !== "gateway" && role !== "worker");
  const upstreams = Object.fromEntries(others.map((role) => [role, [rest.url]]));
  const config = { roles: ["gateway"], upstreams } as const;
  await using gateway = await startTestServer({ databaseUrl: rest.databaseUrl, config });
  const alice = await registerPerson(gateway.url, "alice");
  const room = await createRoom(alice);
  const sent = await room.say(alice, "through the door");
  const { rooms } = await alice.call("GET", "/_matrix/client/v3/sync");
  assert.equal(rooms.join[room.id].timeline.events.at(-1).event_id, sent);

  const { values } = await gateway.ctx.metrics.http.get();
  const routes = new Set(values.map(({ labels }) => labels["route"]));
  for (const role of ["auth", "messages"] as const)
    assert.ok(
      (roles[role].paths as readonly unknown[]).some((each) => routes.has(each as string)),
      [...routes].join(),
    );
  assert.ok(!routes.has("unknown"), "what is handed on is counted by the line of the table");

  const bytes = randomBytes(3_000_000);
  const { token } = alice;
  const headers = { authorization: `Bearer ${token}` };
  const uploaded = await fetch(`${gateway.url}/_matrix/media/v3/upload`, { method: "POST", headers, body: bytes });
  const { content_uri } = (await uploaded.json()) as { content_uri: string };
  const download = content_uri.replace("mxc://", "/_matrix/client/v1/media/download/");
  assert.deepEqual((await request(gateway.url, "GET", download, { token })).body, bytes);

  assert.equal((await request(rest.url, "GET", "/_matrix/client/v3/sync", { token })).body.errcode, "M_UNRECOGNIZED");
  const { devices } = await alice.call("GET", "/_matrix/client/v3/devices");
  assert.equal(devices[0].last_seen_ip, "127.0.0.1");
});

test("the address of the client and the id of the request go along, and what concerns the connection does not", async () => {
  let headers: NodeJS.Dict<string | string[]> = {};
  await using upstream = await startUpstream((incoming, outgoing) => {
    headers = incoming.headers;
    outgoing.setHeader("x-from", "upstream").end("{}");
  });
  await using gateway = await startGateway([upstream.url]);
  const sent = {
    "x-forwarded-for": "10.1.1.1",
    connection: "close, x-hop",
    "x-hop": "1",
    "x-request-id": "forged-by-client",
  };
  const asking = ask(`${gateway.url}${VERSIONS}`, { headers: sent }).end();
  const [answer] = (await once(asking, "response")) as [import("node:http").IncomingMessage];
  answer.resume();
  assert.equal(headers["x-forwarded-for"], "10.1.1.1, 127.0.0.1");
  assert.equal(headers["x-hop"], undefined);
  assert.notEqual(headers["x-request-id"], "forged-by-client");
  assert.equal(headers["host"], new URL(gateway.url).host);
  assert.equal(answer.headers["x-from"], "upstream");
});

test("a path of a role that nobody is named for is not recognised, whoever else has it", async () => {
  await using gateway = await startTestServer({ config: { roles: ["gateway"] } });
  for (const path of [VERSIONS, SEND, "/", "/_matrix/client/v3/nothing"]) {
    const { status, body } = await request(gateway.url, "GET", path);
    assert.deepEqual([status, body.errcode], [404, "M_UNRECOGNIZED"], path);
  }
  assert.equal((await request(gateway.url, "GET", "/health/ready")).status, 200);
});

test("where nobody listens the next address is asked, whatever the request, and where there is none it is said", async () => {
  await using upstream = await startUpstream(json);
  await using gateway = await startGateway([await nobody(), upstream.url]);
  for (let i = 0; i < 4; i++) assert.equal((await call(gateway.url + VERSIONS, "POST", "{}")).status, 200);
  assert.equal(upstream.heard.length, 4);

  await using alone = await startGateway([await nobody()]);
  const { status, body } = await request(alone.url, "POST", "/_matrix/client/v3/login", { body: {} });
  assert.deepEqual([status, body.errcode], [502, "M_UNKNOWN"]);
  assert.match(body.error, /^[A-Z].*\.$/);
});

test("a request that was heard is repeated elsewhere only where a second time changes nothing", async () => {
  await using broken = await startUpstream(cut);
  await using sound = await startUpstream(json);
  for (const [method, path, isRepeated] of [
    ["GET", VERSIONS, true],
    ["PUT", SEND, true],
    ["PUT", "/_matrix/client/v3/rooms/!a:b/state/m.room.topic", false],
    ["POST", "/_matrix/client/v3/createRoom", false],
  ] as const) {
    // A gateway for each: the broken one is asked first.
    await using gateway = await startGateway([broken.url, sound.url]);
    const before = sound.heard.length;
    const { status } = await call(gateway.url + path, method, method === "GET" ? undefined : `{"a":1}`);
    assert.deepEqual([status, sound.heard.length - before], isRepeated ? [200, 1] : [502, 0], `${method} ${path}`);
  }
});

test("what is repeated has its whole body again", async () => {
  const bodies: string[] = [];
  await using broken = await startUpstream(cut);
  await using sound = await startUpstream((incoming, outgoing) => {
    void incoming
      .setEncoding("utf8")
      .toArray()
      .then((parts) => bodies.push(parts.join("")) && outgoing.end("{}"));
  });
  await using gateway = await startGateway([broken.url, sound.url]);
  const body = JSON.stringify({ body: "x".repeat(60_000) });
  assert.equal((await call(gateway.url + SEND, "PUT", body)).status, 200);
  assert.deepEqual(bodies, [body]);
});

test("an upload is handed on while it arrives, and a client that goes away is heard", async () => {
  const first = Promise.withResolvers<string>();
  const gone = Promise.withResolvers<void>();
  await using upstream = await startUpstream((incoming) => {
    incoming.once("data", (chunk: Buffer) => first.resolve(chunk.toString()));
    incoming.once("error", () => gone.resolve());
  });
  await using gateway = await startGateway([upstream.url]);
  const upload = ask(`${gateway.url}/_matrix/media/v3/upload`, { method: "POST" }).on("error", () => {});
  upload.write("the first part");
  assert.equal(await soon("the first part arrives", first.promise), "the first part");
  upload.destroy();
  await soon("the upstream hears that the client is gone", gone.promise);
});

test("an answer that breaks off in the middle breaks off at the client too", async () => {
  await using upstream = await startUpstream((_incoming, outgoing) => {
    outgoing.writeHead(200, { "content-length": 10 }).write("half", () => outgoing.destroy());
  });
  await using gateway = await startGateway([upstream.url]);
  await assert.rejects(fetch(gateway.url + VERSIONS).then((answer) => answer.text()));
});

test("a process that is stopping is left alone at once, and the addresses take turns", async () => {
  await using one = await startUpstream(json);
  await using two = await startUpstream(json);
  await using leaving = await startUpstream((incoming, outgoing) => {
    outgoing.setHeader("connection", "close");
    json(incoming, outgoing);
  });
  await using gateway = await startGateway([one.url, two.url, leaving.url]);
  for (let i = 0; i < 9; i++) assert.equal((await call(gateway.url + VERSIONS, "GET")).status, 200);
  assert.equal(leaving.heard.length, 1);
  assert.ok(one.heard.length >= 3 && two.heard.length >= 3);
});

test("a process that takes connections and says nothing is not waited for where another can be asked", async () => {
  const silent = createServer().listen(0, "127.0.0.1");
  await once(silent, "listening");
  silent.on("request", () => {});
  const { port } = silent.address() as AddressInfo;
  await using sound = await startUpstream(json);
  await using gateway = await startGateway([`http://127.0.0.1:${port}`, sound.url]);
  const begun_ms = performance.now();
  assert.equal((await call(gateway.url + VERSIONS, "GET")).status, 200);
  const waited_ms = performance.now() - begun_ms;
  const most_ms = limits.upstreamCheck_ms + limits.upstreamCheckWait_ms + 2_000;
  assert.ok(waited_ms > limits.upstreamCheckWait_ms && waited_ms < most_ms, `it took ${waited_ms} ms`);
  silent.close();
  silent.closeAllConnections();
});

test("an upstream may be a name, whatever number of addresses it has", async () => {
  await using upstream = await startUpstream(json);
  await using gateway = await startGateway([upstream.url.replace("127.0.0.1", "localhost")]);
  for (let i = 0; i < 3; i++) assert.equal((await call(gateway.url + VERSIONS, "POST", "{}")).status, 200);
  await using nowhere = await startGateway(["http://nowhere.invalid:1"]);
  assert.equal((await call(nowhere.url + VERSIONS, "GET")).status, 502);
});

test("the id that a trusted proxy gave a request is its id in every process", async () => {
  const trusting = { trustedProxies: ["127.0.0.1"] };
  await using rest = await startTestServer({ config: { ...trusting, roles: ["auth"] } });
  const config = { ...trusting, roles: ["gateway"], upstreams: { auth: [rest.url] } } as const;
  await using gateway = await startTestServer({ databaseUrl: rest.databaseUrl, config });
  const headers = { "x-request-id": "given-by-the-balancer" };
  const answer = await uncheckedFetch(gateway.url + VERSIONS, { headers });
  assert.equal(answer.headers.get("x-request-id"), "given-by-the-balancer");
  const forged = await uncheckedFetch(gateway.url + VERSIONS, { headers: { "x-request-id": "two\tlines" } });
  assert.notEqual(forged.headers.get("x-request-id"), "two\tlines");
});

test("only what can be repeated is called so", () => {
  const rooms = "/_matrix/client/v3/rooms/!a%2Fb:c";
  assert.ok(isRepeatable("PUT", `${rooms}/send/m.room.message/1`));
  assert.ok(isRepeatable("PUT", `${rooms}/redact/$e/1`));
  assert.ok(isRepeatable("PUT", "/_matrix/client/r0/sendToDevice/m.room.encrypted/1"));
  assert.ok(isRepeatable("GET", `${rooms}/state`));
  assert.ok(!isRepeatable("PUT", `${rooms}/state/m.room.name/send`));
  assert.ok(!isRepeatable("POST", `${rooms}/send/m.room.message/1`));
  assert.ok(!isRepeatable("DELETE", "/_matrix/client/v3/devices/A"));
});
