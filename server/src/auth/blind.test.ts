/** G8: a process that neither hears the log nor reaches the database takes nobody's word for it; and what keeps the promise. */
import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import { test } from "node:test";
import { registerPerson, request, signInPerson } from "../../../testkit/src/http.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { openWayTo } from "../../../testkit/src/tcp-proxy.ts";
import { realSeams, type Seams } from "../seams.ts";

const PROMISE_MS = 5_000;
const CLIENT = "/_matrix/client/v3";
const whoami = async (url: string, token: string) => {
  const { status } = await request(url, "GET", `${CLIENT}/account/whoami`, { token });
  return status;
};

test("a process that is cut off from the database accepts nobody after 5 s, whoever it remembers, and does again when it is back", async () => {
  await using home = await startTestServer();
  const { proxy, url } = await openWayTo(home.databaseUrl);
  await using _proxy = proxy;
  await using away = await startTestServer({ databaseUrl: url });
  const { token } = await registerPerson(away.url, "alice");
  assert.equal(await whoami(away.url, token), 200);
  proxy.behave("refuse");
  assert.equal(await whoami(away.url, token), 200, "for a moment its memory is as good as the log");
  await wait(PROMISE_MS);
  assert.equal(await whoami(away.url, token), 503);
  proxy.behave("pass");
  assert.equal(await whoami(away.url, token), 200);
});

test("control: a process that does not look at the log, and trusts its memory, takes a token long after its end", async () => {
  await using home = await startTestServer();
  // No look of its own, no bus between the two, and a clock by which nothing is ever old.
  const blind: Seams = { ...realSeams, every: () => ({ cancel: () => {} }), monotonic_ms: () => 1_000 };
  await using there = await startTestServer({
    databaseUrl: home.databaseUrl,
    seams: blind,
  });
  home.ctx.bus.publish = () => {};
  const laptop = await registerPerson(home.url, "alice");
  const phone = await signInPerson(home.url, "alice");
  assert.equal(await whoami(there.url, phone.token), 200);
  await laptop.call("POST", `${CLIENT}/logout/all`);
  assert.equal(await whoami(home.url, phone.token), 401);
  await wait(PROMISE_MS);
  assert.equal(await whoami(there.url, phone.token), 200, "the bug is not there: the check would not find it");
});
