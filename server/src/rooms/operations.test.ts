/** What operators see of rooms and do to them, and what members see of that. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json, Person } from "../../../testkit/src/http.ts";
import { makeAdministrator } from "../../../testkit/src/operators.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { bodies, createRoom, people, roomOf, roomPath, say, sync } from "../../../testkit/src/syncing.ts";
import { soonFound } from "../../../testkit/src/wait.ts";
import { PROJECTIONS } from "../backup/verify.ts";
import { runJobs } from "../worker/jobs.ts";

const ROOMS = "/_parley/admin/v1/rooms";
const at = (roomId: string, rest = "") => `${ROOMS}/${encodeURIComponent(roomId)}${rest}`;
const reason = "asked for";

async function town() {
  const server = await startTestServer();
  const admin = await makeAdministrator(server, "root");
  const [alice, bob, carol] = (await people(server, "alice", "bob", "carol")) as [Person, Person, Person];
  return { server, admin, alice, bob, carol, [Symbol.asyncDispose]: () => server.stop() };
}

/** The job once it is over. This process may be working on it, so its own worker is waited for by working along. */
async function ended(server: TestServer, admin: Person, { job_id }: Json): Promise<Json> {
  return soonFound("the job is over", async () => {
    await runJobs(server.ctx);
    const job = await admin.call("GET", `/_parley/admin/v1/jobs/${job_id}`);
    return !["queued", "running"].includes(job.state) && job;
  });
}

const CODE = { "m.room.encryption": { algorithm: "m.megolm.v1.aes-sha2" } };

test("the list of rooms has every room once, page by page, in each order, and its filters leave the right ones", async () => {
  await using town_ = await town();
  const { admin, alice, bob } = town_;
  const plain = await createRoom(alice, { name: "Plain", preset: "public_chat" });
  const secret = await createRoom(alice, {
    name: "Secret %",
    initial_state: Object.entries(CODE).map(([type, content]) => ({ type, state_key: "", content })),
  });
  const space = await createRoom(alice, { name: "Space", creation_content: { type: "m.space" } });
  const shared = await roomOf(alice, bob);
  for (const sort of ["room_id", "name", "-members", "-last_activity"]) {
    const seen: string[] = [];
    let from: string | undefined;
    do {
      const page = await admin.call("GET", `${ROOMS}?limit=1&sort=${sort}${from ? `&from=${from}` : ""}`);
      assert.equal(page.total, from === undefined ? 4 : undefined);
      seen.push(...page.items.map((each: Json) => each.room_id));
      from = page.next;
    } while (from !== undefined);
    assert.deepEqual(seen.toSorted(), [plain, secret, space, shared].toSorted(), sort);
    if (sort === "-members") assert.equal(seen[0], shared);
    if (sort === "-last_activity") assert.equal(seen[0], shared);
    if (sort === "name") assert.deepEqual(seen, [shared, plain, secret, space]);
  }
  const found = async (query: string) =>
    (await admin.call("GET", `${ROOMS}?sort=name&${query}`)).items.map((each: Json) => each.room_id);
  assert.deepEqual(await found("encrypted=true"), [secret]);
  assert.deepEqual(await found("space=true"), [space]);
  assert.deepEqual(await found("join_rule=public"), [plain]);
  assert.deepEqual(await found("q=lai"), [plain]);
  assert.deepEqual(await found("q=%25"), [secret], "a search term is no pattern");
  assert.deepEqual(await found(`q=${encodeURIComponent(shared)}`), [shared]);
  assert.deepEqual(await found("blocked=true"), []);
  assert.deepEqual(await found("empty=true"), []);
});

test("a name that PostgreSQL can not hold does not break the list", async () => {
  await using town_ = await town();
  const { admin, alice } = town_;
  const roomId = await createRoom(alice, { name: "zero \0" });
  const { items } = await admin.call("GET", `${ROOMS}?sort=name&q=${encodeURIComponent(roomId)}`);
  assert.deepEqual([items[0].room_id, items[0].name], [roomId, null]);
});

test("a room is shown with its powers, names and links, and without a word that was said in it", async () => {
  await using town_ = await town();
  const { admin, alice, bob } = town_;
  const roomId = await roomOf(alice, bob);
  await say(alice, roomId, "canary-in-a-room");
  await alice.call("PUT", roomPath(roomId, "state/m.room.retention"), { max_lifetime: 86_400_000 });
  await alice.call("PUT", roomPath(roomId, "state/m.space.child/!child:localhost"), { via: ["localhost"] });
  const shown = await admin.call("GET", at(roomId));
  assert.equal(shown.members, 2);
  assert.equal(shown.messages, 1);
  assert.deepEqual(shown.children, ["!child:localhost"]);
  assert.deepEqual(shown.retention, { max_lifetime_ms: 86_400_000, min_lifetime_ms: null });
  assert.ok(shown.creators.includes(alice.userId) || shown.power_levels.users[alice.userId] === 100);
  const members = await admin.call("GET", at(roomId, "/members?limit=1"));
  assert.deepEqual([members.items[0].user_id, members.total], [alice.userId, 2]);
  const texts = [shown, members, await admin.call("GET", ROOMS), await admin.call("GET", at(roomId, "/effect"))];
  assert.equal(JSON.stringify(texts).includes("canary"), false);
  assert.equal((await admin.ask("GET", at("!nothing:localhost"))).status, 404);
});

test("a member with the power makes somebody an administrator, and nobody can where no member has it", async () => {
  await using town_ = await town();
  const { admin, alice, bob, carol } = town_;
  const roomId = await roomOf(alice, bob);
  const made = await admin.call("POST", at(roomId, "/administrators"), { user_id: carol.userId, reason });
  assert.deepEqual(made, { acted_as: alice.userId, invited: true });
  await admin.call("POST", at(roomId, "/administrators"), { user_id: admin.userId, reason });
  const { items } = await admin.call("GET", `/_parley/admin/v1/audit?action=rooms.make_admin&outcome=done`);
  assert.deepEqual(
    items.map(({ after }: Json) => [after.user_id, after.to_self]),
    [
      [admin.userId, true],
      [carol.userId, false],
    ],
    "an operator who gives power to themselves is seen",
  );
  await carol.call("POST", roomPath(roomId, "join"), {});
  await carol.call("PUT", roomPath(roomId, "state/m.room.name"), { name: "Carol may" });
  await alice.call("POST", roomPath(roomId, "leave"), {});
  await carol.call("POST", roomPath(roomId, "leave"), {});
  const refused = await admin.ask("POST", at(roomId, "/administrators"), { user_id: bob.userId, reason });
  assert.deepEqual([refused.status, refused.body.errcode], [403, "M_FORBIDDEN"]);
});

test("whoever has more power than an administrator keeps it when they are made one", async () => {
  await using town_ = await town();
  const { admin, alice, bob } = town_;
  const users = { [alice.userId]: 150, [bob.userId]: 120 };
  const roomId = await createRoom(alice, {
    room_version: "11",
    invite: [bob.userId],
    power_level_content_override: { users },
  });
  await bob.call("POST", roomPath(roomId, "join"), {});
  const made = await admin.call("POST", at(roomId, "/administrators"), { user_id: bob.userId, reason });
  assert.equal(made.acted_as, alice.userId);
  const levels = await alice.call("GET", roomPath(roomId, "state/m.room.power_levels"));
  assert.deepEqual(levels.users, users);
});

test("nobody joins a blocked room by any way, whoever is in it stays, and unblocking ends that", async () => {
  await using town_ = await town();
  const { admin, alice, bob, carol } = town_;
  const roomId = await createRoom(alice, { preset: "public_chat", room_alias_name: "open", invite: [bob.userId] });
  await admin.call("POST", at(roomId, "/block"), { reason });
  const ways: [Person, string, string, object][] = [
    [bob, "POST", roomPath(roomId, "join"), {}],
    [carol, "POST", `/_matrix/client/v3/join/${encodeURIComponent("#open:localhost")}`, {}],
    [carol, "PUT", roomPath(roomId, `state/m.room.member/${carol.userId}`), { membership: "join" }],
    [carol, "POST", `/_matrix/client/v3/knock/${encodeURIComponent(roomId)}`, {}],
    [alice, "POST", roomPath(roomId, "invite"), { user_id: carol.userId }],
    [alice, "PUT", roomPath(roomId, `state/m.room.member/${carol.userId}`), { membership: "invite" }],
  ];
  for (const [who, method, path, body] of ways) {
    const { status, body: answer } = await who.ask(method, path, body);
    assert.deepEqual([status, answer.errcode], [403, "M_FORBIDDEN"], path);
  }
  await say(alice, roomId, "still here");
  await alice.call("PUT", `/_matrix/client/v3/profile/${alice.userId}/displayname`, { displayname: "Al" });
  assert.deepEqual(
    (await admin.call("GET", `${ROOMS}?blocked=true`)).items.map((each: Json) => each.room_id),
    [roomId],
  );
  await admin.call("DELETE", at(roomId, "/block"));
  await carol.call("POST", roomPath(roomId, "join"), {});
});

test("in an archived room only its administrators speak", async () => {
  await using town_ = await town();
  const { admin, alice, bob } = town_;
  const roomId = await roomOf(alice, bob);
  await admin.call("POST", at(roomId, "/archive"), { reason });
  const sent = await bob.ask("PUT", roomPath(roomId, "send/m.room.message/a1"), { msgtype: "m.text", body: "hm" });
  assert.equal(sent.body.errcode, "M_FORBIDDEN");
  assert.equal((await bob.ask("PUT", roomPath(roomId, "send/m.reaction/a2"), {})).status, 403);
  await say(alice, roomId, "the last word");
});

test("a shutdown takes everybody out, names and all, and members are told why", async () => {
  await using town_ = await town();
  const { server, admin, alice, bob, carol } = town_;
  const roomId = await createRoom(alice, {
    preset: "public_chat",
    room_alias_name: "doomed",
    visibility: "public",
    invite: [carol.userId],
  });
  await bob.call("POST", roomPath(roomId, "join"), {});
  const { next_batch: since } = await sync(bob);
  await say(alice, roomId, "the last message");
  const effect = await admin.call("GET", at(roomId, "/effect"));
  assert.deepEqual([effect.members, effect.invited, effect.aliases, effect.published], [2, 1, 1, true]);
  const job = await admin.call("POST", at(roomId, "/shutdown"), { reason, message: "This room is over." });
  const over = await ended(server, admin, job);
  assert.deepEqual([over.state, over.progress.members_removed], ["done", 3]);
  const left = (await sync(bob, { since })).rooms.leave[roomId];
  assert.deepEqual(bodies(left), ["the last message"]);
  const own = left.timeline.events.at(-1);
  assert.deepEqual([own.content.membership, own.content.reason], ["leave", "This room is over."]);
  const alias = await bob.ask("GET", `/_matrix/client/v3/directory/room/${encodeURIComponent("#doomed:localhost")}`);
  assert.equal(alias.status, 404);
  assert.equal((await bob.call("GET", "/_matrix/client/v3/publicRooms")).chunk.length, 0);
  assert.equal((await bob.ask("POST", roomPath(roomId, "join"), {})).status, 403);
  const history = await bob.call("GET", roomPath(roomId, "messages?dir=b"));
  assert.ok(history.chunk.length > 0, "who was in it reads on, unless it is purged");
});

test("of a purged room there is nothing left but that it was there, and a device that was away learns that it is out", async () => {
  await using town_ = await town();
  const { server, admin, alice, bob, carol } = town_;
  const roomId = await roomOf(alice, bob);
  const txn = roomPath(roomId, "send/m.room.message/retried");
  const { event_id: sent } = await alice.call("PUT", txn, { msgtype: "m.text", body: "purge-canary" });
  for (let n = 0; n < 5; n++) await say(bob, roomId, `purge-canary ${n}`);
  await alice.call("PUT", roomPath(roomId, "state/m.room.topic"), { topic: "purge-canary" });
  await alice.call("PUT", roomPath(roomId, "state/m.room.topic"), { topic: "another" });
  await bob.call("POST", roomPath(roomId, `receipt/m.read/${encodeURIComponent(sent)}`), {});
  const tags = `/_matrix/client/v3/user/${bob.userId}/rooms/${encodeURIComponent(roomId)}/tags/m.favourite`;
  await bob.call("PUT", tags, {});
  const { next_batch: since } = await sync(bob);
  const whileIn = await admin.ask("POST", at(roomId, "/purge"), { reason, confirm: roomId });
  assert.equal(whileIn.status, 409);
  const job = await admin.call("POST", at(roomId, "/shutdown"), { reason, purge: true });
  assert.equal((await ended(server, admin, job)).state, "done");

  const left = (await sync(bob, { since })).rooms.leave[roomId];
  assert.deepEqual(
    left.timeline.events.map((event: Json) => [event.type, event.content.membership]),
    [["m.room.member", "leave"]],
  );
  for (const path of [
    "messages?dir=b",
    `context/${encodeURIComponent(sent)}`,
    "state",
    `event/${encodeURIComponent(sent)}`,
  ])
    assert.ok([403, 404].includes((await bob.ask("GET", roomPath(roomId, path))).status), path);
  assert.equal((await carol.ask("POST", roomPath(roomId, "join"), {})).status, 403);
  assert.equal((await alice.call("PUT", txn, { msgtype: "m.text", body: "purge-canary" })).event_id, sent);
  const { log } = server.ctx.db;
  const rest = await log.query(
    "select type from log.entries where room_id = $1 and kind <> 'removal' order by position",
    [roomId],
  );
  assert.deepEqual(
    rest.map((row) => row["type"]),
    ["m.room.create", "m.room.member", "m.room.member"],
  );
  assert.deepEqual(await log.query("select 1 from log.entries where body like '%purge-canary%'"), []);
  for (const [name, sql] of Object.entries(PROJECTIONS))
    assert.deepEqual(await log.one(sql), { count: 0 }, `a restored backup would be found sound: ${name}`);
  const listed = await admin.call("GET", at(roomId));
  assert.deepEqual([listed.members, listed.messages, listed.name, listed.topic], [0, 0, null, null]);
});

test("a purge that is cut off between two steps is finished by the next worker, and counts nothing twice", async () => {
  await using town_ = await town();
  const { server, admin, alice } = town_;
  const roomId = await createRoom(alice);
  for (let n = 0; n < 3; n++) await say(alice, roomId, `${n}`);
  await alice.call("POST", roomPath(roomId, "leave"), {});
  const { events, state_events } = await admin.call("GET", at(roomId));
  const { console: db } = server.ctx.db;
  const row = await db.one<{ job_id: number }>(
    `insert into console.jobs (kind, target, parameters, created_by, state, lease, leased_until)
     values ('room.purge', $1, $2, 'test', 'running', 'dead', now() + interval '1 hour') returning job_id`,
    [roomId, JSON.stringify({ roomId })],
  );
  const positions = await server.ctx.db.log.query<{ position: number }>(
    "select position from log.entries where room_id = $1 and kind = 'event' order by position limit 4",
    [roomId],
  );
  const dead = [row?.job_id, "dead", roomId, positions.map(({ position }) => position), true];
  await db.query("select console.remove_for_job($1, $2, $3, $4, $5)", dead);
  await db.change("update console.jobs set leased_until = now() - interval '1 second' where job_id = $1", [
    row?.job_id,
  ]);
  const over = await ended(server, admin, row as Json);
  assert.equal(over.events_removed, events - state_events, "each once; current state goes at the end, by itself");
  const late = await db.one<{ removed: number | null }>(
    "select console.remove_for_job($1, $2, $3, $4, $5) as removed",
    dead,
  );
  assert.equal(late?.removed, null, "whoever was taken for dead removes nothing any more");
});

test("an operation over rooms is refused to whoever is no operator, and leaves its entry in the audit log", async () => {
  await using town_ = await town();
  const { server, admin, alice } = town_;
  const roomId = await createRoom(alice);
  assert.equal((await alice.ask("GET", ROOMS)).status, 403);
  assert.equal((await alice.ask("POST", at(roomId, "/block"), { reason })).status, 403);
  await admin.call("POST", at(roomId, "/block"), { reason });
  const audited = await server.ctx.db.console.query(
    "select action, target, reason from console.audit where action = 'rooms.block' and outcome = 'done'",
  );
  assert.deepEqual(audited, [{ action: "rooms.block", target: roomId, reason }]);
  assert.equal((await admin.ask("POST", at(roomId, "/block"), {})).status, 400, "without a reason nothing is done");
});
