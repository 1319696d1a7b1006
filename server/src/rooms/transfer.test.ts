/** The rooms of somebody who leaves are handed to a successor, as often as it is asked for, and after a worker has died. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parley } from "../../../testkit/src/command.ts";
import type { Json, Person } from "../../../testkit/src/http.ts";
import { makeAdministrator, makeOperator } from "../../../testkit/src/operators.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { createRoom, people, roomOf, roomPath } from "../../../testkit/src/syncing.ts";
import { soonFound } from "../../../testkit/src/wait.ts";
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import type { Job } from "../worker/job.ts";
import { noteStep } from "../worker/job-queries.ts";
import { createJob, runJobs } from "../worker/jobs.ts";
import { transferRoom } from "./transfer.ts";
import { transferStep } from "./transfer-job.ts";

const API = "/_parley/admin/v1";
const reason = "left the company";

async function town() {
  const server = await startTestServer();
  const admin = await makeAdministrator(server, "root");
  const [alice, bob, carol] = (await people(server, "alice", "bob", "carol")) as [Person, Person, Person];
  return { server, admin, alice, bob, carol, [Symbol.asyncDispose]: () => server.stop() };
}

const path = (person: Person) => `${API}/users/${person.userId}/transfer`;
const effectOf = (admin: Person, from: Person, query: string): Promise<Json> =>
  admin.call("GET", `${path(from)}?${query}`);

/** The job once it is over. This process may be working on it, so its own worker is waited for by working along. */
async function ended(server: TestServer, admin: Person, { job_id }: Json): Promise<Json> {
  return soonFound("the job is over", async () => {
    await runJobs(server.ctx);
    const job = await admin.call("GET", `${API}/jobs/${job_id}`);
    return !["queued", "running"].includes(job.state) && job;
  });
}

interface Asked {
  from: Person;
  to: Person;
  only_sole?: boolean;
}

async function transfer(
  { server, admin }: { server: TestServer; admin: Person },
  { from, to, ...more }: Asked,
): Promise<Json> {
  const made = await admin.call("POST", path(from), { to: to.userId, reason, ...more });
  const job = await ended(server, admin, made);
  assert.equal(job.state, "done", job.error);
  return job.progress;
}

const levelsOf = async (person: Person, roomId: string): Promise<Json> =>
  (await person.call("GET", roomPath(roomId, "state/m.room.power_levels"))).users;

async function membershipOf(asker: Person, roomId: string, person: Person): Promise<string | undefined> {
  const { body } = await asker.ask("GET", roomPath(roomId, `state/m.room.member/${person.userId}`));
  return body.membership;
}

/** The numbers of a count that are not zero. */
function told({ refused_rooms: _, is_complete: __, to_self: ___, ...numbers }: Json): Json {
  return Object.fromEntries(Object.entries(numbers).filter(([, number]) => number !== 0));
}

test("a successor gets the rooms that somebody administers, is invited where they are not in, and doing it again changes nothing", async () => {
  await using town_ = await town();
  const { admin, alice, bob, carol } = town_;
  const alone = await createRoom(alice, { name: "Alone" });
  const together = await roomOf(alice, bob);
  const shared = await createRoom(alice, {
    room_version: "11",
    invite: [carol.userId],
    power_level_content_override: { users: { [alice.userId]: 100, [carol.userId]: 100 } },
  });
  await carol.call("POST", roomPath(shared, "join"), {});
  const foreign = await roomOf(carol, alice);
  assert.deepEqual(told(await effectOf(admin, alice, "")), { rooms: 3, sole: 2 });
  const expected = { rooms: 3, sole: 2, change: 3, invite: 2 };
  assert.deepEqual(told(await effectOf(admin, alice, `to=${bob.userId}`)), expected);
  const progress = await transfer(town_, { from: alice, to: bob });
  assert.deepEqual(told(progress), { rooms_changed: 3, invited: 2 });
  for (const roomId of [alone, together, shared]) assert.equal((await levelsOf(alice, roomId))[bob.userId], 100);
  assert.equal((await levelsOf(alice, shared))[carol.userId], 100, "nobody's power is taken");
  assert.equal(await membershipOf(alice, alone, bob), "invite");
  assert.equal(await membershipOf(alice, foreign, bob), undefined);
  await bob.call("POST", roomPath(alone, "join"), {});
  await bob.call("PUT", roomPath(alone, "state/m.room.name"), { name: "Bob may" });
  const { event_id } = await alice.call("GET", `${roomPath(shared, "state/m.room.power_levels")}?format=event`);
  assert.deepEqual(told(await effectOf(admin, alice, `to=${bob.userId}`)), { rooms: 3, already: 3 });
  assert.deepEqual(told(await transfer(town_, { from: alice, to: bob })), { rooms_already: 3 });
  const again = await alice.call("GET", `${roomPath(shared, "state/m.room.power_levels")}?format=event`);
  assert.equal(again.event_id, event_id, "no second event says the same");
});

test("the person acts in the history of their own rooms, not another administrator", async () => {
  await using town_ = await town();
  const { alice, bob, carol } = town_;
  const roomId = await createRoom(carol, {
    room_version: "11",
    invite: [alice.userId],
    power_level_content_override: { users: { [alice.userId]: 100, [carol.userId]: 150 } },
  });
  await alice.call("POST", roomPath(roomId, "join"), {});
  await transfer(town_, { from: alice, to: bob });
  for (const key of ["m.room.power_levels", `m.room.member/${bob.userId}`]) {
    const event = await alice.call("GET", `${roomPath(roomId, `state/${key}`)}?format=event`);
    assert.equal(event.sender, alice.userId, key);
  }
});

test("with only_sole rooms stay as they are in which somebody else administers too", async () => {
  await using town_ = await town();
  const { admin, alice, bob, carol } = town_;
  const alone = await roomOf(alice, carol);
  const shared = await createRoom(alice, {
    room_version: "11",
    invite: [carol.userId],
    power_level_content_override: { users: { [alice.userId]: 100, [carol.userId]: 100 } },
  });
  // Who has the power and is not in the room administers nothing.
  assert.equal((await effectOf(admin, alice, `to=${bob.userId}&only_sole=true`)).change, 2);
  await carol.call("POST", roomPath(shared, "join"), {});
  const effect = await effectOf(admin, alice, `to=${bob.userId}&only_sole=true`);
  assert.deepEqual(told(effect), { rooms: 2, sole: 1, change: 1, invite: 1 });
  const progress = await transfer(town_, { from: alice, to: bob, only_sole: true });
  assert.deepEqual(told(progress), { rooms_changed: 1, invited: 1 });
  assert.equal(await membershipOf(alice, alone, bob), "invite");
  assert.deepEqual(await levelsOf(alice, shared), { [alice.userId]: 100, [carol.userId]: 100 });
});

test("in a room of version 12 a creator keeps all power, and the successor is given that of an administrator", async () => {
  await using town_ = await town();
  const { admin, alice, bob, carol } = town_;
  const roomId = await createRoom(alice, {
    room_version: "12",
    creation_content: { additional_creators: [carol.userId] },
  });
  const progress = await transfer(town_, { from: alice, to: bob });
  assert.deepEqual(told(progress), { rooms_changed: 1, invited: 1 });
  assert.deepEqual(await levelsOf(alice, roomId), { [bob.userId]: 100 }, "creators stand in no power levels");
  await alice.call("PUT", roomPath(roomId, "state/m.room.name"), { name: "Still the creator's" });
  // Another creator needs no power, but a way in.
  assert.deepEqual(told(await transfer(town_, { from: alice, to: carol })), { rooms_changed: 1, invited: 1 });
  assert.deepEqual(await levelsOf(alice, roomId), { [bob.userId]: 100 });
  assert.equal(await membershipOf(alice, roomId, carol), "invite");
  assert.equal((await effectOf(admin, alice, `to=${carol.userId}`)).already, 1);
});

test("what can not be changed is told with why, and everything else is done", async () => {
  await using town_ = await town();
  const { admin, alice, bob } = town_;
  const banned = await createRoom(alice);
  await alice.call("POST", roomPath(banned, "ban"), { user_id: bob.userId });
  const blocked = await createRoom(alice);
  await admin.call("POST", `${API}/rooms/${encodeURIComponent(blocked)}/block`, { reason });
  const users = { [alice.userId]: 101 };
  const stuck = await createRoom(alice, { room_version: "11", power_level_content_override: { users, invite: 101 } });
  const levels = await alice.call("GET", roomPath(stuck, "state/m.room.power_levels"));
  const lowered = { ...levels, users: { [alice.userId]: 100 } };
  await alice.call("PUT", roomPath(stuck, "state/m.room.power_levels"), lowered);
  const good = await createRoom(alice);
  const effect = await effectOf(admin, alice, `to=${bob.userId}`);
  assert.deepEqual(told(effect), { rooms: 4, sole: 4, change: 1, invite: 1, refused: 3 });
  const why = Object.fromEntries(effect.refused_rooms.map((each: Json) => [each.room_id, each.why]));
  assert.match(why[banned], /is banned there/);
  assert.match(why[blocked], /is blocked on this server/);
  assert.match(why[stuck], /invite/);
  assert.deepEqual(told(await transfer(town_, { from: alice, to: bob })), {
    rooms_changed: 1,
    invited: 1,
    rooms_refused: 3,
  });
  assert.equal(await membershipOf(alice, banned, bob), "ban");
  assert.equal(await membershipOf(alice, good, bob), "invite");
  for (const roomId of [banned, blocked, stuck])
    assert.equal(((await levelsOf(alice, roomId)) ?? {})[bob.userId], undefined, "a room is changed as a whole or not");
});

test("where nobody who is in a room may give power, it says so", async () => {
  await using town_ = await town();
  const { admin, alice, bob } = town_;
  await createRoom(alice, {
    room_version: "11",
    power_level_content_override: { users: { [alice.userId]: 100 }, events: { "m.room.power_levels": 150 } },
  });
  const effect = await effectOf(admin, alice, `to=${bob.userId}`);
  assert.deepEqual(told(effect), { rooms: 1, sole: 1, refused: 1 });
  assert.match(effect.refused_rooms[0].why, /No member of this room has the power for it: it takes 150/);
});

test("a conversation of two people is nobody's to inherit", async () => {
  await using town_ = await town();
  const { admin, alice, bob, carol } = town_;
  const roomId = await roomOf(alice, carol);
  // Only one of the two has noted it.
  const noted = `/_matrix/client/v3/user/${carol.userId}/account_data/m.direct`;
  await carol.call("PUT", noted, { [alice.userId]: [roomId] });
  assert.deepEqual(told(await effectOf(admin, alice, `to=${bob.userId}`)), { direct: 1 });
  assert.deepEqual(told(await transfer(town_, { from: alice, to: bob })), { rooms_direct: 1 });
  assert.equal(await membershipOf(alice, roomId, bob), undefined);
  await alice.call("POST", roomPath(roomId, "invite"), {
    user_id: (await makeAdministrator(town_.server, "third")).userId,
  });
  assert.equal((await effectOf(admin, alice, `to=${bob.userId}`)).rooms, 1, "with a third person it is a room");
});

/** A job that a worker has which is about to die: nobody else takes it before `goesOn`. */
async function leased(
  { server, admin }: { server: TestServer; admin: Person },
  { from, to, only_sole = false }: Asked,
): Promise<Job> {
  const parameters = { userId: from.userId, to: to.userId, onlySole: only_sole };
  const about = { kind: "person.transfer", parameters, createdBy: admin.userId };
  const lease = "of the one who dies";
  const jobId = await server.ctx.db.console.transaction(async (db) => {
    const made = await createJob(server.ctx, about, db);
    await db.change(
      "update console.jobs set state = 'running', lease = $2, leased_until = now() + interval '1 hour' where job_id = $1",
      [made, lease],
    );
    return made;
  });
  return { ...about, jobId, lease, cursor: null, progress: {} };
}

async function goesOn({ server, admin }: { server: TestServer; admin: Person }, { jobId }: Job): Promise<Json> {
  await server.ctx.db.console.change("update console.jobs set leased_until = now() where job_id = $1", [jobId]);
  return ended(server, admin, { job_id: jobId });
}

/** Does a step of the job, as the worker that has it; where it dies before it notes it, the next one begins at the same place. */
async function step(ctx: Context, job: Job, { notes }: { notes: boolean }): Promise<Job> {
  const next = await transferStep(ctx, job);
  if (!notes) return job;
  assert.equal(await noteStep(ctx, job, next), "on");
  return { ...job, cursor: next.cursor, progress: next.progress };
}

test("more rooms than one step does are all done and all counted, also when workers died after steps that nobody noted", async () => {
  await using town_ = await town();
  const { server, alice, bob } = town_;
  const count = limits.transferStep_rooms + 2;
  const rooms: string[] = [];
  for (let made = 0; made < count; made++) rooms.push(await createRoom(alice));
  let job = await leased(town_, { from: alice, to: bob });
  job = await step(server.ctx, job, { notes: false });
  job = await step(server.ctx, job, { notes: true });
  assert.deepEqual(told(job.progress), {}, "a plan is no change");
  assert.equal(await membershipOf(alice, rooms[0] as string, bob), undefined);
  job = await step(server.ctx, job, { notes: false });
  const states = await Promise.all(rooms.map((roomId) => membershipOf(alice, roomId, bob)));
  assert.equal(states.filter((each) => each === "invite").length, limits.transferStep_rooms);
  const { state, progress } = await goesOn(town_, job);
  assert.deepEqual([state, told(progress)], ["done", { rooms_changed: count, invited: count }]);
  for (const roomId of rooms) assert.equal(await membershipOf(alice, roomId, bob), "invite");
});

test("what a worker that died has done of a step counts as done by the job, and what was right before it does not", async () => {
  await using town_ = await town();
  const { server, admin, alice, bob } = town_;
  // In a room of both the successor is an administrator afterwards, and nobody is one alone.
  const together = await roomOf(alice, bob);
  const rooms = [together, await createRoom(alice), await createRoom(alice)];
  const asked = { userId: alice.userId, to: bob.userId, onlySole: true };
  let job = await step(server.ctx, await leased(town_, { from: alice, to: bob, only_sole: true }), { notes: true });
  const [, dying] = rooms as [string, string];
  for (const roomId of [together, dying]) assert.equal((await transferRoom(server.ctx, roomId, asked)).is, "change");
  const { progress } = await goesOn(town_, job);
  assert.deepEqual(told(progress), { rooms_changed: 3, invited: 2 });
  assert.equal((await effectOf(admin, alice, `to=${bob.userId}`)).already, 3);

  job = await step(server.ctx, await leased(town_, { from: alice, to: bob }), { notes: true });
  await step(server.ctx, job, { notes: false });
  assert.deepEqual(told((await goesOn(town_, job)).progress), { rooms_already: 3 });
});

test("a room that an upgrade has replaced is left alone, and one whose tombstone names a room that is not in its place is not", async () => {
  await using town_ = await town();
  const { admin, alice, bob } = town_;
  const old = await createRoom(alice, { room_version: "11" });
  const { replacement_room } = await alice.call("POST", roomPath(old, "upgrade"), { new_version: "12" });
  const closed = await createRoom(alice, { room_version: "11" });
  await alice.call("PUT", roomPath(closed, "state/m.room.tombstone"), { replacement_room: "!gone:localhost" });
  // Whoever leaves can write that into any room.
  const claimed = await createRoom(alice, { room_version: "11" });
  await alice.call("PUT", roomPath(claimed, "state/m.room.tombstone"), { replacement_room: closed });
  const expected = { rooms: 3, sole: 3, replaced: 1, change: 3, invite: 3 };
  assert.deepEqual(told(await effectOf(admin, alice, `to=${bob.userId}`)), expected);
  const progress = await transfer(town_, { from: alice, to: bob });
  assert.deepEqual(told(progress), { rooms_changed: 3, invited: 3, rooms_replaced: 1 });
  assert.equal(await membershipOf(alice, old, bob), undefined);
  for (const roomId of [replacement_room, closed, claimed])
    assert.equal(await membershipOf(alice, roomId, bob), "invite");
});

test("an operator who is the successor is told so before, and the audit log says it of the beginning and of the end", async () => {
  await using town_ = await town();
  const { admin, alice, bob } = town_;
  const roomId = await createRoom(alice);
  assert.equal((await effectOf(admin, alice, "")).to_self, false);
  assert.equal((await effectOf(admin, alice, `to=${bob.userId}`)).to_self, false);
  assert.equal((await effectOf(admin, alice, `to=${admin.userId}`)).to_self, true);
  await transfer(town_, { from: alice, to: admin });
  assert.equal(await membershipOf(alice, roomId, admin), "invite");
  const { items } = await admin.call("GET", `${API}/audit?target=${alice.userId}`);
  assert.deepEqual(
    items.map(({ action, after }: Json) => [action, after.to_self]),
    [
      ["users.transferred", true],
      ["users.transfer", true],
    ],
  );
});

test("the audit log has the transfer with its numbers, and its end with what became of the rooms", async () => {
  await using town_ = await town();
  const { admin, alice, bob } = town_;
  await createRoom(alice);
  await transfer(town_, { from: alice, to: bob });
  const { items } = await admin.call("GET", `${API}/audit?target=${alice.userId}`);
  const [end, begin] = items;
  assert.deepEqual(
    [begin.action, begin.actor, begin.reason, begin.before, begin.after],
    [
      "users.transfer",
      admin.userId,
      reason,
      { rooms: 1, sole: 1 },
      { job_id: end.after.job_id, to: bob.userId, to_self: false, only_sole: false, change: 1, invite: 1, refused: 0 },
    ],
  );
  assert.deepEqual(
    [end.action, end.via, end.after.to_self, end.after.rooms_changed, end.after.invited],
    ["users.transferred", "job", false, 1, 1],
  );
});

test("the end of a transfer stands in the audit log once, though its worker died before it noted the last step", async () => {
  await using town_ = await town();
  const { server, admin, alice, bob } = town_;
  const job = await leased(town_, { from: alice, to: bob });
  await transferStep(server.ctx, { ...job, cursor: { phase: "end" } });
  assert.equal((await goesOn(town_, job)).state, "done");
  const { items } = await admin.call("GET", `${API}/audit?target=${alice.userId}&action=users.transferred`);
  assert.equal(items.length, 1);
});

test("who may not hand on rooms, and who can not take them, is told why", async () => {
  await using town_ = await town();
  const { server, admin, alice, bob, carol } = town_;
  const olga = await makeOperator(server, "olga", "operator");
  const otto = await makeOperator(server, "otto", "auditor");
  const ask = async (who: Person, { from, to }: { from: string; to: string }) => {
    const { status, body } = await who.ask("POST", `${API}/users/${from}/transfer`, { to, reason });
    return `${status} ${body.errcode}: ${body.error}`;
  };
  const from = alice.userId;
  assert.match(await ask(otto, { from, to: bob.userId }), /^403 M_FORBIDDEN: .*"operator"/);
  assert.equal((await otto.ask("GET", `${path(alice)}?to=${bob.userId}`)).status, 200, "an auditor may count");
  assert.match(await ask(olga, { from: admin.userId, to: bob.userId }), /^403 M_FORBIDDEN: .*only an owner/);
  assert.match(await ask(olga, { from: olga.userId, to: bob.userId }), /^403 M_FORBIDDEN: .*their own account/);
  assert.match(await ask(admin, { from, to: from }), /^400 M_INVALID_PARAM: Nobody is their own successor/);
  assert.match(await ask(admin, { from, to: "@nobody:localhost" }), /^404 M_NOT_FOUND: .*@nobody:localhost/);
  assert.match(await ask(admin, { from, to: "@bob:elsewhere.example" }), /^404 M_NOT_FOUND/);
  assert.match(await ask(admin, { from: "@nobody:localhost", to: from }), /^404 M_NOT_FOUND/);
  await admin.call("POST", `${API}/users/${bob.userId}/restrict`, { reason });
  assert.match(await ask(admin, { from, to: bob.userId }), /^400 M_INVALID_PARAM: .*kept from acting/);
  await carol.call("PUT", `/_matrix/client/v3/user/${carol.userId}/account_data/m.invite_permission_config`, {
    default_action: "block",
  });
  assert.match(await ask(admin, { from, to: carol.userId }), /^403 M_INVITE_BLOCKED/);
  await admin.call("POST", `${API}/users/${alice.userId}/deactivate`, { reason });
  assert.match(await ask(admin, { from, to: olga.userId }), /^400 M_INVALID_PARAM: .*has left all rooms/);
  assert.equal((await admin.ask("GET", path(alice))).status, 400);
});

test("in the shell the counts are asked for first, and the transfer is one command", async () => {
  await using town_ = await town();
  const { server, admin, alice, bob } = town_;
  const roomId = await createRoom(alice);
  const env = { DATABASE_URL: server.databaseUrl, PARLEY_PORT: new URL(server.url).port };
  const shown = await parley(["user", "transfer-effect", alice.userId, "--to", bob.userId], { env });
  assert.match(shown.out, /^change +1$/m);
  const typed = ["user", "transfer", alice.userId, bob.userId, "--only-sole", "--reason", reason, "--json"];
  const made = await parley(typed, { env });
  assert.equal(made.code, 0, made.error);
  assert.equal((await ended(server, admin, made.json())).state, "done");
  assert.equal(await membershipOf(alice, roomId, bob), "invite");
});
