/** Two servers on one database: typing, presence and limits are the same on both, whatever keeps them. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Json, type Person, registerPerson, request } from "../../../testkit/src/http.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { missingService, type Service, startService } from "../../../testkit/src/services.ts";
import type { Config } from "../config.ts";
import { limits } from "../limits.ts";

const V3 = "/_matrix/client/v3";

let redis: Service | undefined;
before(async () => {
  if (!missingService("redis")) redis = await startService("redis");
});
after(() => redis?.stop());

const stores: { name: Config["ephemeral"]; skip: string | false }[] = [
  { name: "postgresql", skip: false },
  { name: "redis", skip: missingService("redis") },
];

interface Pair {
  servers: [TestServer, TestServer];
  /** The same session at the other server. */
  at(person: Person, index: 0 | 1): Person;
}

for (const { name, skip } of stores) {
  const rule = (text: string, check: (pair: Pair) => Promise<void>, more: Partial<Config> = {}) =>
    void test(`${name}: ${text}`, { skip, timeout: 60_000 }, async () => {
      const config = { ephemeral: name, redisUrl: redis?.url, ...more };
      await using first = await startTestServer({ config });
      await using second = await startTestServer({ config, databaseUrl: first.databaseUrl });
      const servers: [TestServer, TestServer] = [first, second];
      await check({ servers, at: (person, index) => moved(person, servers[index]) });
    });

  rule("typing on one server is seen by a sync that waits at the other, and so is its end", async ({ servers, at }) => {
    const { alice, bob, typing } = await room(servers[0]);
    const there = at(bob, 1);
    const { next_batch: since } = await sync(there);
    const waiting = sync(there, { since, timeout: 30_000, filter: TYPING });
    await alice.call("PUT", typing(alice), { typing: true, timeout: 30_000 });
    const told = await waiting;
    assert.deepEqual(typingIn(told), [alice.userId]);
    const ending = sync(there, { since: told.next_batch, timeout: 30_000, filter: TYPING });
    await alice.call("PUT", typing(alice), { typing: false });
    assert.deepEqual(typingIn(await ending), []);
  });

  rule(
    "a client that moves between the servers misses no typing, and is told of none twice",
    async ({ servers, at }) => {
      const { alice, bob, typing } = await room(servers[0]);
      let { next_batch: since } = await sync(bob);
      for (let turn = 0; turn < 6; turn++) {
        const isTyping = turn % 2 === 0;
        const [here, there] = turn % 4 < 2 ? ([0, 1] as const) : ([1, 0] as const);
        const waiting = sync(at(bob, here), { since, timeout: 30_000, filter: TYPING });
        await at(alice, there).call("PUT", typing(alice), { typing: isTyping, timeout: 30_000 });
        const told = await waiting;
        assert.deepEqual(typingIn(told), isTyping ? [alice.userId] : []);
        // At the other server, whose answer must neither repeat it nor come at once for ever.
        const next = await sync(at(bob, there), { since: told.next_batch, filter: TYPING });
        assert.equal(typingIn(next), undefined);
        since = next.next_batch;
      }
    },
  );

  rule("who syncs at one server is online at the other", async ({ servers, at }) => {
    const { alice, bob } = await room(servers[0]);
    const there = at(bob, 1);
    const { next_batch: since } = await sync(there);
    const told = nextPresence(there, since, alice.userId);
    await sync(alice);
    assert.equal(await told, "online");
    const path = `${V3}/presence/${encodeURIComponent(alice.userId)}/status`;
    assert.equal((await there.call("GET", path)).currently_active, true);
  });

  rule("wrong passwords count together, wherever they are tried", limitHolds, { rateLimits: true });
}

/** The person's session at another server. */
function moved(person: Person, server: TestServer): Person {
  const ask: Person["ask"] = (method, path, body) => request(server.url, method, path, { token: person.token, body });
  return {
    ...person,
    ask,
    async call(...sent) {
      const { status, body } = await ask(...sent);
      assert.equal(status, 200, JSON.stringify(body));
      return body;
    },
  };
}

const burst = limits.rates.loginFailed.burst;

async function limitHolds({ servers }: Pair): Promise<void> {
  await registerPerson(servers[0].url, "mallory");
  const body = { type: "m.login.password", identifier: { type: "m.id.user", user: "mallory" }, password: "wrong" };
  const statuses: number[] = [];
  for (let i = 0; i <= burst; i++) statuses.push(await post(servers[i % 2 ? 1 : 0], body));
  assert.deepEqual(statuses, [...Array.from({ length: burst }, () => 403), 429]);
  assert.deepEqual([await post(servers[0], body), await post(servers[1], body)], [429, 429]);
}

async function post(server: TestServer, body: object): Promise<number> {
  const answer = await fetch(`${server.url}${V3}/login`, { method: "POST", body: JSON.stringify(body) });
  await answer.body?.cancel();
  return answer.status;
}

/** Alice and bob in a room, registered at the server. */
async function room(server: TestServer) {
  const [alice, bob] = [await registerPerson(server.url, "alice"), await registerPerson(server.url, "bob")];
  const created = await alice.call("POST", `${V3}/createRoom`, { preset: "private_chat", invite: [bob.userId] });
  const roomId = encodeURIComponent(created.room_id as string);
  await bob.call("POST", `${V3}/join/${roomId}`, {});
  const typing = (person: Person) => `${V3}/rooms/${roomId}/typing/${encodeURIComponent(person.userId)}`;
  return { alice, bob, typing };
}

/** Only what is typed. */
const TYPING = {
  presence: { types: [] },
  account_data: { types: [] },
  room: {
    timeline: { types: [] },
    state: { types: [] },
    account_data: { types: [] },
    ephemeral: { types: ["m.typing"] },
  },
};

function sync(person: Person, { filter, ...asked }: { filter?: object; [more: string]: unknown } = {}): Promise<Json> {
  const query = new URLSearchParams(Object.entries(asked).map(([name, value]) => [name, String(value)]));
  if (filter) query.set("filter", JSON.stringify(filter));
  return person.call("GET", `${V3}/sync?${query}`);
}

/** Who types, if the answer says anything of it. */
function typingIn({ rooms }: Json): string[] | undefined {
  const joined = Object.values((rooms?.join ?? {}) as Record<string, Json>);
  const events = joined.flatMap((each) => (each.ephemeral?.events ?? []) as Json[]);
  return events.findLast((event) => event.type === "m.typing")?.content.user_ids as string[] | undefined;
}

/** The next that the person learns of the other's presence. */
async function nextPresence(person: Person, since: string, userId: string): Promise<string> {
  for (let from = since; ;) {
    const answer = await sync(person, { since: from, timeout: 30_000 });
    const event = (answer.presence?.events ?? []).find((each: Json) => each.sender === userId);
    if (event) return event.content.presence as string;
    from = answer.next_batch;
  }
}
