/** G8: signing out takes effect at every process within 5 s, with the bus, without it, and where a process was away. */
import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import { test } from "node:test";
import { startCluster } from "../../../testkit/src/cluster.ts";
import { type Person, registerPerson, request, signInPerson } from "../../../testkit/src/http.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { connectOwner } from "../db/database.ts";

const PROMISE_MS = 5_000;
const CLIENT = "/_matrix/client/v3";

function whoami(url: string, { token }: Person) {
  return request(url, "GET", `${CLIENT}/account/whoami`, { token });
}

/** Resolves with how long the process still took the token. */
async function refusedAfter(url: string, person: Person): Promise<number> {
  const begun_ms = performance.now();
  for (;;) {
    const { status, body } = await whoami(url, person);
    if (status === 401) {
      assert.deepEqual([body.errcode, body.soft_logout], ["M_UNKNOWN_TOKEN", undefined]);
      return performance.now() - begun_ms;
    }
    assert.equal(status, 200);
    assert.ok(performance.now() - begun_ms < PROMISE_MS, "the token is still taken");
    await wait(20);
  }
}

/** A sync that waits at the process; gives its answer. */
async function startWaiting(url: string, person: Person) {
  const { body } = await request(url, "GET", `${CLIENT}/sync`, { token: person.token });
  const path = `${CLIENT}/sync?timeout=30000&since=${body.next_batch}`;
  return { answer: request(url, "GET", path, { token: person.token }) };
}

const ways: Record<string, (phone: Person, laptop: Person) => Promise<unknown>> = {
  "signing out everywhere": (_phone, laptop) => laptop.call("POST", `${CLIENT}/logout/all`),
  async "deleting the device"(phone, laptop) {
    const path = `${CLIENT}/devices/${phone.deviceId}`;
    const { body } = await laptop.ask("DELETE", path, {});
    const identifier = { type: "m.id.user", user: laptop.userId };
    const name = laptop.userId.slice(1).split(":")[0];
    const auth = { type: "m.login.password", identifier, password: `password of ${name}`, session: body.session };
    await laptop.call("DELETE", path, { auth });
  },
};

test("whichever process hears of it, all refuse the session, and a sync that waits elsewhere ends", async () => {
  await using cluster = await startCluster({ processes: { all: 2 } });
  const [here, there] = cluster.gateways.map(({ url }) => url) as [string, string];
  for (const [i, [name, signOut]] of Object.entries(ways).entries()) {
    const laptop = await registerPerson(here, `person${i}`);
    const phone = await signInPerson(here, `person${i}`);
    // From now on the other process has it in memory.
    const { answer } = await startWaiting(there, phone);
    await signOut(phone, laptop);
    await refusedAfter(there, phone);
    assert.equal((await answer).status, 401, name);
  }
});

/** Ends the connections that carry the bus as soon as they are made. */
async function cutBus(databaseUrl: string): Promise<AsyncDisposable> {
  const owner = await connectOwner(databaseUrl);
  const over = new AbortController();
  const cut = `select count(pg_terminate_backend(pid))::int as cut from pg_stat_activity
    where application_name = 'parley bus' and datname = current_database()`;
  const first = await owner.query<{ cut: number }>(cut);
  assert.ok((first.rows[0]?.cut ?? 0) > 0, "there was a bus to cut");
  const cutting = (async () => {
    while (!over.signal.aborted) await Promise.all([owner.query(cut), wait(10)]);
    await owner.end();
  })();
  return {
    async [Symbol.asyncDispose]() {
      over.abort();
      await cutting;
    },
  };
}

test("with the bus cut, each process still finds out by itself in time", async () => {
  await using here = await startTestServer();
  await using there = await startTestServer({ databaseUrl: here.databaseUrl });
  const laptop = await registerPerson(here.url, "alice");
  const phone = await signInPerson(here.url, "alice");
  await using _cut = await cutBus(here.databaseUrl);
  const { answer } = await startWaiting(there.url, phone);
  await laptop.call("POST", `${CLIENT}/logout/all`);
  await refusedAfter(there.url, phone);
  assert.equal((await answer).status, 401);
});

test("a process that was paused does not believe its memory when it goes on", async () => {
  await using cluster = await startCluster({ processes: { all: 2 } });
  const [here, there] = cluster.gateways;
  assert.ok(here && there);
  const laptop = await registerPerson(here.url, "alice");
  const phone = await signInPerson(here.url, "alice");
  assert.equal((await whoami(there.url, phone)).status, 200);
  there.pause();
  // What it is asked meanwhile it reads before anything else.
  const asked = wait(4_500).then(() => whoami(there.url, phone));
  await laptop.call("POST", `${CLIENT}/logout/all`);
  await wait(5_000);
  there.resume();
  assert.equal((await asked).status, 401);
});
