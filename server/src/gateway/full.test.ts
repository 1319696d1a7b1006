/** A server that has no place for more streams says when to come again, and to each another time. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { test } from "node:test";
import { startTestServer } from "../../../testkit/src/server.ts";
import { openSocket } from "../../../testkit/src/stream.ts";
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
  const [response] = (await once(asked, "response")) as [IncomingMessage];
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
