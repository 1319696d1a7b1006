/** A server that has no place for more streams says when to come again, and to each another time. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { test } from "node:test";
import { type Person, registerPerson } from "../../../testkit/src/http.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { openSocket, openStream } from "../../../testkit/src/stream.ts";
import { soon, soonFound } from "../../../testkit/src/wait.ts";
import { limits } from "../limits.ts";
import { realSeams, type Seams } from "../seams.ts";

/** Asks for the upgrade and gives the answer where it is refused. */
async function refusal(url: string): Promise<{ status: number | undefined; retryAfter_s: number }> {
  const asked = request(`${url}/_parley/client/v1/stream`, {
    headers: {
      connection: "upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
    },
  });
  asked.end();
  const [response] = (await soon("the upgrade is refused", once(asked, "response"))) as [IncomingMessage];
  response.resume();
  return { status: response.statusCode, retryAfter_s: Number(response.headers["retry-after"]) };
}

/** When those who are refused are told to come again. */
async function timesOfRefusal(seams: Seams): Promise<number[]> {
  await using server = await startTestServer({ seams });
  const sockets = [];
  for (let i = 0; i < limits.streamSignInPerAddress_connections; i++) sockets.push(await openSocket(server.url));
  const refusals = [];
  for (let i = 0; i < 20; i++) refusals.push(await refusal(server.url));
  assert.deepEqual([...new Set(refusals.map(({ status }) => status))], [503]);
  for (const socket of sockets) socket[Symbol.dispose]();
  return refusals.map(({ retryAfter_s }) => retryAfter_s);
}

/** Resolves when the server has this many streams that are signed in. */
function untilSignedIn({ ctx }: TestServer, count: number): Promise<unknown> {
  const streams = async () => (await ctx.metrics.streams.get()).values[0]?.value;
  return soonFound(`${count} streams are signed in`, async () => (await streams()) === count);
}

test("a process has so many streams and no more, whoever they are of, until one ends", async (t) => {
  t.mock.property(limits, "stream_connections", 3 as never);
  await using server = await startTestServer();
  const people = [];
  for (const name of ["alice", "bob", "carol", "dora"]) people.push(await registerPerson(server.url, name));
  const dora = people.pop() as Person;
  const streams = await Promise.all(people.map((person) => openStream(server.url, person)));
  assert.equal((await refusal(server.url)).status, 503);
  streams[0]?.[Symbol.dispose]();
  await untilSignedIn(server, 2);
  streams.push(await openStream(server.url, dora));
  assert.equal((await refusal(server.url)).status, 503);
  for (const stream of streams) stream[Symbol.dispose]();
});

test("so many of all addresses together may not have signed in yet", async (t) => {
  t.mock.property(limits, "streamSignIn_connections", 3 as never);
  await using server = await startTestServer();
  const alice = await registerPerson(server.url, "alice");
  const sockets = await Promise.all([1, 2, 3].map(() => openSocket(server.url)));
  assert.equal((await refusal(server.url)).status, 503);
  sockets[0]?.send({ type: "sign_in", access_token: alice.token });
  await sockets[0]?.until((frame) => frame.type === "ready");
  sockets.push(await openSocket(server.url));
  assert.equal((await refusal(server.url)).status, 503);
  for (const socket of sockets) socket[Symbol.dispose]();
});

/** Whether a herd that is told these times comes together. */
const comeTogether = (times: readonly number[]) => new Set(times).size <= 3;

test("who is refused for now is told a time of their own to come again, so that a herd does not come together", async () => {
  const times = await timesOfRefusal(realSeams);
  const most_s = Math.ceil((limits.streamRetry_ms + limits.streamRetrySpread_ms) / 1_000);
  assert.ok(
    times.every((time_s) => time_s >= 1 && time_s <= most_s),
    times.join(),
  );
  assert.ok(!comeTogether(times), times.join());
});

test("control of G11: with a fixed time they would come together", async () => {
  assert.ok(comeTogether(await timesOfRefusal({ ...realSeams, randomInt: () => 500 })));
});
