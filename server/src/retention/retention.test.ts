/** What the retention deletes and what it keeps, whoever dies meanwhile; seen by operators, and by members through the client API. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json, Person } from "../../../testkit/src/http.ts";
import { diesIn } from "../../../testkit/src/mortal.ts";
import { makeAdministrator } from "../../../testkit/src/operators.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { bodies, createRoom, people, roomOf, roomPath, say, sync } from "../../../testkit/src/syncing.ts";
import { PROJECTIONS } from "../backup/verify.ts";
import { mediaStep, type MediaStep } from "../media/expire.ts";
import { runJobs } from "../worker/jobs.ts";
import { makeDailyRun } from "./schedule.ts";

const RETENTION = "/_parley/admin/v1/retention";
const DAY_MS = 86_400_000;
const reason = "the house's rules";

async function town() {
  // The jobs are worked on by the test itself, so that it can let a worker die.
  const server = await startTestServer({
    config: { roles: ["auth", "messages", "gateway", "presence", "media", "web"] },
  });
  const admin = await makeAdministrator(server, "root");
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  return { server, admin, alice, bob, [Symbol.asyncDispose]: () => server.stop() };
}

/** Makes these events as old as if they had been sent so long ago. */
async function age(server: TestServer, eventIds: readonly string[], by_ms: number): Promise<void> {
  const sql = "update log.entries set ts = ts - $2::bigint where event_id = any ($1)";
  await server.ctx.db.log.change(sql, [eventIds, by_ms]);
}

const set = (admin: Person, policy: object) =>
  admin.call("PUT", RETENTION, { max_lifetime_ms: null, reason, ...policy });
const simulate = (admin: Person, policy: object) =>
  admin.call("POST", `${RETENTION}/simulate`, { max_lifetime_ms: null, ...policy });

async function run(server: TestServer, admin: Person): Promise<Json> {
  const { job_id } = await admin.call("POST", `${RETENTION}/run`, { reason });
  await runJobs(server.ctx);
  const { position } = (await server.ctx.db.log.one<{ position: number }>("select position from log.head")) as {
    position: number;
  };
  await server.ctx.log.reached(position);
  return admin.call("GET", `/_parley/admin/v1/jobs/${job_id}`);
}

async function messages(person: Person, roomId: string): Promise<string[]> {
  const { chunk } = await person.call("GET", roomPath(roomId, "messages?dir=f&limit=500"));
  return chunk.filter((each: Json) => each.type === "m.room.message").map((each: Json) => each.content.body);
}

test("until a policy is set nothing is deleted, also where a room asks for it", async () => {
  await using town_ = await town();
  const { server, admin, alice } = town_;
  const roomId = await createRoom(alice);
  await alice.call("PUT", roomPath(roomId, "state/m.room.retention"), { max_lifetime: 1 });
  await age(server, [await say(alice, roomId, "old")], 900 * DAY_MS);
  assert.equal(await makeDailyRun(server.ctx), false);
  assert.equal((await admin.ask("POST", `${RETENTION}/run`, { reason })).status, 409);
  assert.equal((await admin.call("GET", RETENTION)).enabled, false);
  assert.deepEqual(await messages(alice, roomId), ["old"]);
});

test("a run deletes what the simulation said, and members see the rest as before", async () => {
  await using town_ = await town();
  const { server, admin, alice, bob } = town_;
  const roomId = await roomOf(alice, bob);
  const other = await createRoom(alice);
  const old = [];
  for (let n = 0; n < 5; n++) old.push(await say(alice, roomId, `old ${n}`));
  old.push(await say(alice, other, "old as well"));
  const edited = await say(alice, roomId, {
    body: "* old 0",
    "m.new_content": { body: "edited" },
    "m.relates_to": { rel_type: "m.replace", event_id: old[0] },
  });
  await say(alice, roomId, "young");
  await age(server, old, 400 * DAY_MS);
  const { next_batch: since } = await sync(bob);
  const policy = { max_lifetime_ms: 365 * DAY_MS };
  const would = await simulate(admin, policy);
  assert.deepEqual([would.messages, would.rooms], [7, 2], "six that are old, and the edit of one");
  assert.deepEqual(would.largest[0], { ...would.largest[0], room_id: roomId, messages: 6, source: "server" });
  await set(admin, policy);
  const job = await run(server, admin);
  assert.deepEqual([job.state, job.events_removed, job.progress.rooms_done], ["done", 7, 2]);
  assert.deepEqual(await messages(bob, roomId), ["young"]);
  assert.equal((await sync(bob, { since })).rooms?.join?.[roomId], undefined, "nobody is told of what went");
  const first = (await sync(bob)).rooms.join[roomId];
  assert.deepEqual(bodies(first), ["young"]);
  assert.ok(first.state.events.length + first.timeline.events.length > 5, "state is all there");
  assert.equal((await bob.ask("GET", roomPath(roomId, `event/${encodeURIComponent(edited)}`))).status, 404);
  assert.deepEqual((await simulate(admin, policy)).messages, 0);
  assert.equal((await run(server, admin)).events_removed, 0, "a second run finds nothing");
});

test("a room's own policy counts within the server's bounds, and an operator's before it", async () => {
  await using town_ = await town();
  const { server, admin, alice } = town_;
  const ask = async (max_lifetime: unknown) => {
    const roomId = await createRoom(alice);
    await alice.call("PUT", roomPath(roomId, "state/m.room.retention"), { max_lifetime });
    await age(server, [await say(alice, roomId, "ten days old")], 10 * DAY_MS);
    return roomId;
  };
  const [short, far, wrong] = [await ask(1), await ask(900 * DAY_MS), await ask("a week")];
  const said = await ask(1);
  await set(admin, { max_lifetime_ms: 30 * DAY_MS, room_least_ms: 7 * DAY_MS, room_most_ms: 60 * DAY_MS });
  await admin.call("PUT", `${RETENTION}/rooms/${encodeURIComponent(said)}`, { max_lifetime_ms: null, reason });
  const effective = async (roomId: string) => admin.call("GET", `${RETENTION}/rooms/${encodeURIComponent(roomId)}`);
  assert.deepEqual(await effective(short), { lifetime_ms: 7 * DAY_MS, source: "room" });
  assert.deepEqual(await effective(far), { lifetime_ms: 60 * DAY_MS, source: "room" });
  assert.deepEqual(await effective(wrong), { lifetime_ms: 30 * DAY_MS, source: "server" });
  assert.deepEqual(await effective(said), { lifetime_ms: null, source: "operator" });
  await run(server, admin);
  const left = await Promise.all([short, far, wrong, said].map((roomId) => messages(alice, roomId)));
  assert.deepEqual(left, [[], ["ten days old"], ["ten days old"], ["ten days old"]]);
});

test("what a legal hold keeps is kept by retention and by a purge, until it is released", async () => {
  await using town_ = await town();
  const { server, admin, alice, bob } = town_;
  const [held, free] = [await roomOf(alice, bob), await roomOf(alice, bob)];
  const old = [await say(alice, held, "kept"), await say(alice, free, "goes"), await say(bob, free, "bob's")];
  await age(server, old, 10 * DAY_MS);
  await set(admin, { max_lifetime_ms: DAY_MS });
  const ofRoom = await admin.call("POST", `${RETENTION}/holds`, { room_id: held, reason });
  const ofBob = await admin.call("POST", `${RETENTION}/holds`, { user_id: bob.userId, reason });
  assert.equal((await simulate(admin, { max_lifetime_ms: DAY_MS })).messages, 1);
  assert.equal((await run(server, admin)).events_removed, 1);
  assert.deepEqual([await messages(alice, held), await messages(alice, free)], [["kept"], ["bob's"]]);
  const purge = `/_parley/admin/v1/rooms/${encodeURIComponent(held)}`;
  assert.equal((await admin.ask("POST", `${purge}/shutdown`, { reason, purge: true })).status, 403);
  for (const hold of [ofRoom, ofBob])
    await admin.call("POST", `${RETENTION}/holds/${hold.hold_id}/release`, { reason });
  assert.equal((await run(server, admin)).events_removed, 2);
});

test("of a purged room there stays what somebody on hold has set in it, and a backup of it is found sound", async () => {
  await using town_ = await town();
  const { server, admin, alice } = town_;
  const roomId = await createRoom(alice);
  const topic = async (text: string) =>
    (await alice.call("PUT", roomPath(roomId, "state/m.room.topic"), { topic: text })).event_id as string;
  const written = [await topic("once"), await topic("now")];
  const hold = await admin.call("POST", `${RETENTION}/holds`, { user_id: alice.userId, reason });
  const room = `/_parley/admin/v1/rooms/${encodeURIComponent(roomId)}`;
  await admin.call("POST", `${room}/shutdown`, { reason, purge: true });
  await runJobs(server.ctx);
  const left = async () =>
    (
      await server.ctx.db.log.query<{ id: string }>(
        "select event_id as id from log.entries where event_id = any ($1) order by position",
        [written],
      )
    ).map(({ id }) => id);
  assert.deepEqual(await left(), written);
  assert.equal((await admin.call("GET", room)).topic, null, "the room has no topic any more");
  for (const [name, sql] of Object.entries(PROJECTIONS))
    assert.deepEqual(await server.ctx.db.log.one(sql), { count: 0 }, `a restored backup would be found sound: ${name}`);
  await admin.call("POST", `${RETENTION}/holds/${hold.hold_id}/release`, { reason });
  await admin.call("POST", `${room}/purge`, { reason, confirm: roomId });
  await runJobs(server.ctx);
  assert.deepEqual(await left(), [], "once it is released a purge takes that too");
});

test("a hold on a room that is placed while it is purged keeps the receipts too", async () => {
  await using town_ = await town();
  const { server, admin, alice, bob } = town_;
  const roomId = await roomOf(alice, bob);
  await bob.call(
    "POST",
    roomPath(roomId, `receipt/m.read/${encodeURIComponent(await say(alice, roomId, "read"))}`),
    {},
  );
  for (const who of [alice, bob]) await who.call("POST", roomPath(roomId, "leave"), {});
  const { log } = server.ctx.db;
  const receipts = () => log.query("select 1 from log.receipts where room_id = $1", [roomId]);
  assert.equal((await receipts()).length, 1);
  const room = `/_parley/admin/v1/rooms/${encodeURIComponent(roomId)}`;
  const { job_id } = await admin.call("POST", `${room}/purge`, { reason, confirm: roomId });
  await admin.call("POST", `${RETENTION}/holds`, { room_id: roomId, reason });
  await runJobs(server.ctx);
  assert.equal((await admin.call("GET", `/_parley/admin/v1/jobs/${job_id}`)).state, "failed");
  assert.equal((await receipts()).length, 1);
});

test("a hold that is placed while a worker is about to delete is kept to", async () => {
  await using town_ = await town();
  const { server, admin, alice, bob } = town_;
  const roomId = await roomOf(alice, bob);
  const sent = [await say(alice, roomId, "alice's"), await say(bob, roomId, "bob's")];
  const { log, console: db } = server.ctx.db;
  const found = await log.query<{ position: number }>("select position from log.entries where event_id = any ($1)", [
    sent,
  ]);
  const job = await db.one<{ id: number }>(
    `insert into console.jobs (kind, parameters, created_by, state, lease) values ('retention.run', '{}', 'test', 'running', 'mine')
     returning job_id as id`,
  );
  const remove = async () =>
    (
      await db.one<{ removed: number }>("select console.remove_for_job($1, 'mine', $2, $3, false) as removed", [
        job?.id,
        roomId,
        found.map(({ position }) => position),
      ])
    )?.removed;
  const ofRoom = await admin.call("POST", `${RETENTION}/holds`, { room_id: roomId, reason });
  assert.equal(await remove(), 0);
  await admin.call("POST", `${RETENTION}/holds`, { user_id: bob.userId, reason });
  await admin.call("POST", `${RETENTION}/holds/${ofRoom.hold_id}/release`, { reason });
  assert.equal(await remove(), 1);
  assert.deepEqual(await log.query("select user_id from log.entries where event_id = any ($1)", [sent]), [
    { user_id: bob.userId },
  ]);
});

test("unread counts and receipts stay right when what was read and what was not is deleted", async () => {
  await using town_ = await town();
  const { server, admin, alice, bob } = town_;
  const roomId = await roomOf(alice, bob);
  const read = await say(alice, roomId, "read");
  await bob.call("POST", roomPath(roomId, `receipt/m.read/${encodeURIComponent(read)}`), {});
  const unread = await say(alice, roomId, "unread and old");
  await say(alice, roomId, "unread");
  await age(server, [read, unread], 10 * DAY_MS);
  await set(admin, { max_lifetime_ms: DAY_MS });
  await run(server, admin);
  const room = (await sync(bob)).rooms.join[roomId];
  assert.equal(room.unread_notifications.notification_count, 1);
  for (const [name, sql] of Object.entries(PROJECTIONS))
    assert.deepEqual(await server.ctx.db.log.one(sql), { count: 0 }, `a restored backup would be found sound: ${name}`);
  await bob.call(
    "POST",
    roomPath(roomId, `receipt/m.read/${encodeURIComponent(await say(alice, roomId, "next"))}`),
    {},
  );
  assert.equal((await sync(bob)).rooms.join[roomId].unread_notifications.notification_count, 0);
});

test("a kill between every two steps of a run loses nothing and deletes and counts nothing twice", async () => {
  await using town_ = await town();
  const { server, admin, alice } = town_;
  await set(admin, { max_lifetime_ms: DAY_MS });
  const { console: db } = server.ctx.db;
  let survived = 0;
  for (let dieAt = 1; survived < 2; dieAt++) {
    const when = dieAt % 2 === 0 ? "before" : "after";
    const roomId = await createRoom(alice);
    const old = [await say(alice, roomId, "old"), await say(alice, roomId, "older")];
    await say(alice, roomId, "young");
    await age(server, old, 10 * DAY_MS);
    const { job_id } = await admin.call("POST", `${RETENTION}/run`, { reason });
    const death = { at: Math.ceil(dieAt / 2), when, of: ["console"] } as const;
    if (!(await diesIn(server.ctx, death, runJobs))) survived += 1;
    await db.change("update console.jobs set leased_until = now() - interval '1 second' where state = 'running'");
    await runJobs(server.ctx);
    const job = await admin.call("GET", `/_parley/admin/v1/jobs/${job_id}`);
    assert.deepEqual([job.state, job.events_removed], ["done", 2], `killed ${when} ask ${Math.ceil(dieAt / 2)}`);
    assert.deepEqual(await messages(alice, roomId), ["young"]);
    assert.ok(dieAt < 100, "a run does not end");
  }
});

test("of two workers that look at once one makes the day's run, and one works on it", async () => {
  await using town_ = await town();
  const { server, admin } = town_;
  await set(admin, { max_lifetime_ms: DAY_MS });
  const made = await Promise.all([makeDailyRun(server.ctx), makeDailyRun(server.ctx), makeDailyRun(server.ctx)]);
  assert.equal(made.filter(Boolean).length, 1);
  assert.equal((await admin.ask("POST", `${RETENTION}/run`, { reason })).status, 409, "no second run beside it");
  await Promise.all([runJobs(server.ctx), runJobs(server.ctx)]);
  assert.equal(await makeDailyRun(server.ctx), false, "one a day");
});

const upload = async (server: TestServer, who: Person, text: string): Promise<string> => {
  const headers = { authorization: `Bearer ${who.token}`, "content-type": "text/plain" };
  const answer = await fetch(`${server.url}/_matrix/media/v3/upload`, { method: "POST", headers, body: text });
  return ((await answer.json()) as { content_uri: string }).content_uri;
};

test("a worker that was taken for dead and begins a run anew takes no file from the one that has gone on", async () => {
  await using town_ = await town();
  const { server, alice } = town_;
  const said = await upload(server, alice, "said");
  await say(alice, await createRoom(alice), { body: "see", url: said });
  await upload(server, alice, "lost");
  const step = (at: unknown): Promise<MediaStep> =>
    mediaStep(server.ctx, { run: 7, at, before_ms: server.ctx.seams.now_ms() + DAY_MS, held: [] });
  let next = await step(null);
  const phaseOf = ({ at }: MediaStep) => (at as { phase: string }).phase;
  while (phaseOf(next) !== "files") next = await step(next.at);
  await step(null);
  let deleted = 0;
  for (; !next.isDone; deleted += next.deleted) next = await step(next.at);
  assert.equal(deleted, 1);
  const { media } = server.ctx.db;
  assert.notEqual(
    await media.one("select 1 from media.media where media_id = $1", [said.split("/").at(-1)]),
    undefined,
  );
});

test("a hold on a room keeps the files of everybody who was ever in it, encrypted or not, from whoever deletes files", async () => {
  await using town_ = await town();
  const { server, admin, alice, bob } = town_;
  const roomId = await roomOf(alice, bob);
  await alice.call("PUT", roomPath(roomId, "state/m.room.encryption"), { algorithm: "m.megolm.v1.aes-sha2" });
  const media = (await upload(server, bob, "said in the room, under a key")).split("/").at(-1) as string;
  await bob.call("POST", roomPath(roomId, "leave"), {});
  await server.ctx.db.media.change("update media.media set created_at = created_at - interval '100 days'");
  const hold = await admin.call("POST", `${RETENTION}/holds`, { room_id: roomId, reason });
  await set(admin, { media_lifetime_ms: 90 * DAY_MS });
  assert.equal((await simulate(admin, { media_lifetime_ms: 90 * DAY_MS })).files, 0);
  assert.equal((await run(server, admin)).progress.files_deleted, 0);
  const file = `/_parley/admin/v1/media/${media}`;
  assert.equal((await admin.ask("POST", `${file}/delete`, { reason })).status, 403);
  await admin.call("POST", "/_parley/admin/v1/media-deletions", { reason, user_id: bob.userId });
  await runJobs(server.ctx);
  assert.equal((await admin.ask("GET", file)).status, 200);
  await admin.call("POST", `${RETENTION}/holds/${hold.hold_id}/release`, { reason });
  assert.equal((await run(server, admin)).progress.files_deleted, 1);
});

test("files that nothing points to go when they are over their time, and what is pointed to, protected or held stays", async () => {
  await using town_ = await town();
  const { server, admin, alice, bob } = town_;
  const idOf = (uri: string) => uri.split("/").at(-1) as string;
  const [lost, said, avatar, kept, held] = [
    await upload(server, alice, "lost"),
    await upload(server, alice, "said"),
    await upload(server, alice, "avatar"),
    await upload(server, alice, "kept"),
    await upload(server, bob, "held"),
  ];
  const roomId = await createRoom(alice);
  await say(alice, roomId, { body: "see", url: said });
  await alice.call("PUT", `/_matrix/client/v3/profile/${alice.userId}/avatar_url`, { avatar_url: avatar });
  await admin.call("PUT", `/_parley/admin/v1/media/${idOf(kept)}/protection`, {});
  await admin.call("POST", `${RETENTION}/holds`, { user_id: bob.userId, reason });
  await server.ctx.db.media.change("update media.media set created_at = created_at - interval '100 days'");
  const young = await upload(server, alice, "young");
  const policy = { media_lifetime_ms: 90 * DAY_MS };
  assert.equal((await simulate(admin, policy)).files, 3, "over their time, whatever points to them");
  await set(admin, policy);
  assert.equal((await run(server, admin)).progress.files_deleted, 1);
  const status = async (uri: string) =>
    (await alice.ask("GET", `/_matrix/client/v1/media/download/localhost/${idOf(uri)}`)).status;
  assert.equal(await status(lost), 404);
  for (const uri of [said, avatar, kept, held, young]) assert.equal(await status(uri), 200, uri);
});
