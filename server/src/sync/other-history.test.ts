/**
 * G1, G4: a client comes with a token that is ahead of this process, and while the process catches up the database fails over to a
 * history that ends below it. Then the client starts over, whatever way it follows: what it has seen there was lost, and others
 * have the positions by now.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Json, type Person, registerPerson, signInPerson } from "../../../testkit/src/http.ts";
import { deviceKeysOf } from "../../../testkit/src/keys.ts";
import { startTestServer, type TestServer, untilSyncsWait } from "../../../testkit/src/server.ts";
import { openStream } from "../../../testkit/src/stream.ts";
import { connectOwner, type Db, type Reader } from "../db/database.ts";
import type { Hub } from "../log/hub.ts";

const CLIENT = "/_matrix/client/v3";

let server: TestServer;
let alice: Person;
let room: string;
let roomId: string;
let bob: Person;
let leftId: string;

before(async () => {
  server = await startTestServer();
  alice = await registerPerson(server.url, "alice");
  bob = await registerPerson(server.url, "bob");
  const encryption = { type: "m.room.encryption", state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } };
  const open = { preset: "public_chat", initial_state: [encryption] };
  ({ room_id: roomId } = await alice.call("POST", `${CLIENT}/createRoom`, open));
  await bob.call("POST", `${CLIENT}/join/${encodeURIComponent(roomId)}`, {});
  ({ room_id: leftId } = await alice.call("POST", `${CLIENT}/createRoom`, {}));
  await alice.call("POST", `${CLIENT}/rooms/${encodeURIComponent(leftId)}/leave`, {});
  room = `${CLIENT}/rooms/${encodeURIComponent(roomId)}`;
});
after(() => server[Symbol.asyncDispose]());

let sent = 0;
const send = async () => {
  const { event_id } = await alice.call("PUT", `${room}/send/m.room.message/${++sent}`, { body: `${sent}` });
  return event_id as string;
};

/** From here on the database is another: its first change of the log notes where the history goes on. */
async function failOver(): Promise<void> {
  const owner = await connectOwner(server.databaseUrl);
  await owner.query("update log.head set timeline = '00000000'");
  await owner.end();
}

/**
 * Asks with a token that is two positions ahead; once the process waits for them, the database is another, and what is said then, and a
 * message, take the positions. Gives the answer, and what was said.
 */
async function comeAhead<T>(
  ask: (token: string) => Promise<T>,
  say: () => Promise<string> = send,
): Promise<{ answer: T; first: string }> {
  const { log } = server.ctx;
  const [position, epoch] = [log.hub.head() + 2, log.epoch];
  const waits = Promise.withResolvers<void>();
  const hub: { reached: Hub["reached"] } = log.hub;
  const { reached } = hub;
  hub.reached = (to, signal) => {
    if (to === position) waits.resolve();
    return reached(to, signal);
  };
  try {
    const asking = ask(`s${epoch}_${position}_0`);
    await Promise.race([waits.promise, asking]);
    hub.reached = reached;
    await failOver();
    const first = await say();
    await send();
    assert.equal(log.epoch, epoch + 1, "another history has begun");
    return { answer: await asking, first };
  } finally {
    hub.reached = reached;
  }
}

const idsOf = (events: readonly Json[]) => events.map(({ event_id }) => event_id);

/** Everything, and that what the client has of it is not to be gone on with, though each room is told from its beginning. */
function assertStartsOver(answer: Json, first: string): void {
  const { timeline } = answer.rooms.join[roomId];
  assert.ok(idsOf(timeline.events).includes(first));
  assert.deepEqual([timeline.events[0].type, timeline.limited], ["m.room.create", true]);
  assert.ok(answer.account_data.events.some(({ type }: Json) => type === "m.push_rules"));
  assert.deepEqual(answer.device_lists, { changed: [alice.userId, bob.userId], left: [] });
  assert.equal(answer.rooms.leave[leftId].timeline.events.at(-1).content.membership, "leave");
}

const FILTER = JSON.stringify({ room: { timeline: { limit: 100 } } });

test("a sync that waits for another history is a first one, and the client drops what it has", async () => {
  const { answer, first } = await comeAhead((token) =>
    alice.call("GET", `${CLIENT}/sync?filter=${encodeURIComponent(FILTER)}&since=${token}`),
  );
  assertStartsOver(answer, first);
  const firstOfAll = await alice.call("GET", `${CLIENT}/sync?filter=${encodeURIComponent(FILTER)}`);
  assert.deepEqual([firstOfAll.device_lists, firstOfAll.rooms.leave], [undefined, undefined]);
  assert.equal(firstOfAll.rooms.join[roomId].timeline.limited, false);
});

test("a stream that waits for another history begins with everything, and the client drops what it has", async () => {
  const { answer: stream, first } = await comeAhead((since) =>
    openStream(server.url, alice, { since, filter: FILTER }),
  );
  using open = stream;
  const { sync } = await open.until((frame) => frame.type === "sync");
  assertStartsOver(sync, first);
  await send();
  const next = await open.until(
    ({ type, sync: told }) => type === "sync" && told.rooms?.join?.[roomId] && told !== sync,
  );
  assert.equal(next.sync.rooms.join[roomId].timeline.limited, false);
});

const SLIDING = "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync";

test("sliding sync that waits for another history is told that its position is unknown", async () => {
  const { answer } = await comeAhead((pos) => alice.ask("POST", `${SLIDING}?pos=${pos}_0`, {}));
  assert.deepEqual([answer.status, answer.body.errcode], [400, "M_UNKNOWN_POS"]);
});

test("a message to a device is told, whatever a token of another history says of its position", async () => {
  const tell = async () => {
    const messages = { [alice.userId]: { [alice.deviceId]: { text: "hello" } } };
    await alice.call("PUT", `${CLIENT}/sendToDevice/org.example.hello/1`, { messages });
    return "hello";
  };
  const to_device = (since: string) => ({ extensions: { to_device: { enabled: true, since } } });
  const { answer, first } = await comeAhead((since) => alice.call("POST", SLIDING, to_device(since)), tell);
  assert.deepEqual(
    answer.extensions.to_device.events.map(({ content }: Json) => content.text),
    [first],
  );
});

test("what is acknowledged while the database is away is deleted up to where the histories are one", async () => {
  await using town = await startTestServer();
  const [carol, dave] = [await registerPerson(town.url, "carol"), await registerPerson(town.url, "dave")];
  await carol.call("PUT", `${CLIENT}/sendToDevice/org.example.hello/lost`, {
    messages: { [dave.userId]: { [dave.deviceId]: { text: "lost" } } },
  });
  const { to_device, next_batch } = await dave.call("GET", `${CLIENT}/sync`);
  assert.equal(to_device.events.length, 1);
  const db: { change: Db["change"] } = town.ctx.db.log;
  const { change } = db;
  const [isBack, isDone] = [Promise.withResolvers<void>(), Promise.withResolvers<number>()];
  db.change = async (...args) => {
    await isBack.promise;
    const changed = change(...args);
    changed.then(isDone.resolve, isDone.reject);
    return changed;
  };
  await dave.call("GET", `${CLIENT}/sync?since=${next_batch}`);
  // The database that takes over never had the message. Another stands in its place before this process hears of it.
  const owner = await connectOwner(town.databaseUrl);
  await owner.query("begin");
  await owner.query(
    "update log.head set timeline = '00000000', position = (select position - 1 from log.entries where kind = 'to_device')",
  );
  await owner.query("update log.head set position = position + 1");
  await owner.query("update log.entries set body = replace(body, 'lost', 'new') where kind = 'to_device'");
  await owner.query("commit");
  const left = await (isBack.resolve(), isDone.promise);
  const { rows } = await owner.query<{ body: string }>("select body from log.entries where kind = 'to_device'");
  await owner.end();
  assert.deepEqual([left, rows.map(({ body }) => JSON.parse(body).content.text)], [0, ["new"]]);
});

test("a dehydrated device is read on from where the histories are one", async () => {
  const path = `${CLIENT.replace("v3", "unstable/org.matrix.msc3814.v1")}/dehydrated_device`;
  const named = { userId: alice.userId, deviceId: "DEHYDRATED" };
  const device_keys = { ...deviceKeysOf(named), dehydrated: true };
  await alice.call("PUT", path, { device_id: named.deviceId, device_data: { algorithm: "a" }, device_keys });
  const tell = (text: string) =>
    bob.call("PUT", `${CLIENT}/sendToDevice/org.example.hello/${text}`, {
      messages: { [alice.userId]: { [named.deviceId]: { text } } },
    });
  await tell("before");
  const { head } = server.ctx.log.hub;
  const from = `s${server.ctx.log.epoch}_${head() + 20}`;
  await failOver();
  for (const text of ["again", "new"]) await tell(text);
  const page = await alice.call("GET", `${path}/DEHYDRATED/events?from=${from}`);
  assert.deepEqual(
    page.events.map(({ content }: Json) => content.text),
    ["again", "new"],
  );
});

test("a dehydrated device is read from its beginning by whoever comes from an epoch that this history has not reached", async () => {
  const path = `${CLIENT.replace("v3", "unstable/org.matrix.msc3814.v1")}/dehydrated_device`;
  const named = { userId: bob.userId, deviceId: "DEHYDRATED" };
  const device_keys = { ...deviceKeysOf(named), dehydrated: true };
  await bob.call("PUT", path, { device_id: named.deviceId, device_data: { algorithm: "a" }, device_keys });
  await alice.call("PUT", `${CLIENT}/sendToDevice/org.example.hello/later`, {
    messages: { [bob.userId]: { [named.deviceId]: { text: "new" } } },
  });
  // Of two restores of one backup the second may have the smaller number.
  const from = `s${server.ctx.log.epoch + 5}_${server.ctx.log.hub.head() + 20}`;
  const page = await bob.call("GET", `${path}/DEHYDRATED/events?from=${from}`);
  assert.deepEqual(
    page.events.map(({ content }: Json) => content.text),
    ["new"],
  );
});

test("the events of before are not those of another history", async () => {
  const { answer } = await comeAhead((from) => alice.ask("GET", `${CLIENT}/events?from=${from}&timeout=0`));
  assert.deepEqual([answer.status, answer.body.errcode], [400, "M_INVALID_PARAM"]);
});

/** The first request of a session, to which the database tells a head that this process never comes to. */
async function readAhead(person: Person): Promise<void> {
  const db: { one: Reader["one"] } = server.ctx.db.log;
  const { one } = db;
  db.one = async <R extends object>(...args: Parameters<typeof one>) => {
    const row = await one<R>(...args);
    return row && "epoch" in row && "position" in row ? { ...row, position: (row.position as number) + 20 } : row;
  };
  try {
    await person.call("GET", `${CLIENT}/account/whoami`);
  } finally {
    db.one = one;
  }
}

test("G8: the ending of a session is news to one that was read when the database had more than it has now", async () => {
  const [waiting, open, other] = [
    await signInPerson(server.url, "bob"),
    await signInPerson(server.url, "bob"),
    await signInPerson(server.url, "bob"),
  ];
  for (const each of [waiting, open]) await readAhead(each);
  const { next_batch } = await waiting.call("GET", `${CLIENT}/sync`);
  using stream = await openStream(server.url, open, { since: next_batch });
  const synced = waiting.ask("GET", `${CLIENT}/sync?timeout=25000&since=${next_batch}`);
  await untilSyncsWait(server, 1);
  const { epoch } = server.ctx.log;
  await failOver();
  await other.call("POST", `${CLIENT}/logout/all`, {});
  assert.equal(server.ctx.log.epoch, epoch + 1, "another history has begun");
  assert.equal((await stream.until(({ type }) => type === "error")).errcode, "M_UNKNOWN_TOKEN");
  assert.equal((await synced).body.errcode, "M_UNKNOWN_TOKEN");
});
