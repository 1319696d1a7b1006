/**
 * Every route of clients that names a person, a room, or something of theirs, asked by others who are signed in: made from the
 * routes that are mounted, so that a new one is in it by itself. What they may not see is looked for in every answer.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Person, registerPerson, request } from "../../testkit/src/http.ts";
import { mountedRoutes } from "../../testkit/src/mounted.ts";
import { createRoom, type TestRoom } from "../../testkit/src/room.ts";
import { askRoutes, type RouteAnswer, type Values } from "../../testkit/src/routes-asked.ts";
import { startTestServer, type TestServer } from "../../testkit/src/server.ts";

const CLIENT = "/_matrix/client/v3";
const ROOM = `${CLIENT}/rooms/:roomId`;
const ROOM_V1 = "/_matrix/client/v1/rooms/:roomId";
/** Stands in what only members may read, and nowhere else. */
const CANARY = "canary-7f3a";

const mounted = await mountedRoutes();
const signedIn = mounted.filter(({ access }) => access === "session");
type Mounted = (typeof mounted)[number];
const has = (parameter: string) => (route: Mounted) => route.path.includes(parameter);
/** Of a room itself: a person's own data and keys of a room are theirs, whichever room it is. */
const ofRooms = signedIn.filter((route) => has(":roomId")(route) && !/\/(user|room_keys)\//.test(route.path));
const named = (...names: string[]) => {
  const known = new Set(names);
  return ({ method, pattern }: Mounted) => known.has(`${method} ${pattern}`);
};
const without = (routes: readonly Mounted[], fits: (route: Mounted) => boolean) => routes.filter((each) => !fits(each));

let server: TestServer;
let [alice, bob, carol, dave, frank]: Person[] = [];
let room: TestRoom;
let values: Values;

/** Alice has a private room, in which Bob is a member without any power; Dave is banned from it, Frank invited, Carol nobody. */
before(async () => {
  server = await startTestServer();
  const people = ["alice", "bob", "carol", "dave", "frank"].map((name) => registerPerson(server.url, name));
  [alice, bob, carol, dave, frank] = await Promise.all(people);
  const owner = alice as Person;
  const state = [{ type: "m.room.history_visibility", state_key: "", content: { history_visibility: "joined" } }];
  const power = { invite: 50, events: { "m.room.aliases": 50 } };
  const options = { preset: "private_chat", initial_state: state, power_level_content_override: power };
  room = await createRoom(owner, { ...options, topic: CANARY });
  for (const guest of [bob, frank]) await room.change(owner, "invite", guest);
  await room.change(bob as Person, "join");
  await room.change(owner, "ban", dave);
  values = await valuesOf(owner);
});
after(() => server.stop());

/** Things of hers, each of which has an id. */
async function valuesOf(owner: Person): Promise<Values> {
  const eventId = await room.say(owner, CANARY);
  const { version } = await owner.call("POST", `${CLIENT}/room_keys/version`, {
    algorithm: "m.megolm_backup.v1.curve25519-aes-sha2",
    auth_data: { public_key: CANARY, signatures: {} },
  });
  const { filter_id: filterId } = await owner.call("POST", `${CLIENT}/user/${owner.userId}/filter`, {
    event_fields: [CANARY],
  });
  await owner.call("PUT", `${CLIENT}/user/${owner.userId}/account_data/${CANARY}`, { is: CANARY });
  await owner.call("PUT", `${CLIENT}/user/${owner.userId}/rooms/${room.id}/account_data/${CANARY}`, { is: CANARY });
  const { export_id: exportId } = await owner.call("POST", "/_parley/client/v1/exports", {});
  const delayed = `${room.path}/send/m.room.message/d?org.matrix.msc4140.delay=3600000`;
  const { delay_id: delayId } = await owner.call("PUT", delayed, { msgtype: "m.text", body: CANARY });
  const session_data = { canary: CANARY };
  const key = { first_message_index: 0, forwarded_count: 0, is_verified: true, session_data };
  await owner.call("PUT", `${CLIENT}/room_keys/keys/${room.id}/session?version=${version}`, key);
  const ofPerson = { userId: owner.userId, deviceId: owner.deviceId, type: CANARY, keyName: "displayname" };
  const ofRoom = { roomId: room.id, roomIdOrAlias: room.id, eventId, eventType: "m.room.topic", stateKey: "" };
  const made = { version, sessionId: "session", filterId, exportId, delayId, uploadId: await beginUpload(owner) };
  return { ...ofPerson, ...ofRoom, ...made, receiptType: "m.read", relType: "m.thread" };
}

async function beginUpload({ token }: Person): Promise<string> {
  const headers = { "tus-resumable": "1.0.0", "upload-length": "3" };
  const begun = await request(server.url, "POST", "/_parley/client/v1/uploads", { token, headers });
  return (begun.headers.get("location") ?? "").split("/").at(-1) as string;
}

const REFUSED = /^(403|404) M_/;

interface Check {
  who: Person | undefined;
  with?: Values;
  /** What an answer has to be. */
  told?: RegExp;
}

/** None of the routes is answered otherwise, nor with what only members may read. */
async function check(routes: readonly Mounted[], { who, with: others, told = REFUSED }: Check): Promise<void> {
  assert.ok(routes.length > 0);
  const { token } = who as Person;
  const isWrong = ({ told: is, text }: RouteAnswer) => !told.test(is) || text.includes(CANARY);
  const answers = await askRoutes(routes, { url: server.url, token, values: { ...values, ...others } });
  assert.deepEqual(
    answers.filter(([, answer]) => isWrong(answer)).map(([name, answer]) => `${name}: ${answer.told} ${answer.text}`),
    [],
  );
}

const BY_ID = /:(deviceId|uploadId|exportId|delayId|version|filterId)/;

/** There is none, it takes a while, or it is an operator's. */
const notThere = named(
  "GET /_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device/:deviceId/events",
  "GET /_parley/client/v1/exports/:exportId/archive",
  "GET /_matrix/client/v1/admin/lock/:userId",
  "GET /_matrix/client/v1/admin/suspend/:userId",
);

test("whose it is can read it all: the values fit", async () => {
  const { token } = alice as Person;
  const reads = signedIn.filter(
    ({ method, path }) => method === "GET" && (BY_ID.test(path) || /:(userId|roomId)/.test(path)),
  );
  const answers = await askRoutes(without(reads, notThere), { url: server.url, token, values });
  assert.deepEqual(
    answers.filter(([, { status }]) => status !== 200).map(([name, { told }]) => `${name}: ${told}`),
    [],
  );
  const shows = answers.filter(([, { text }]) => text.includes(CANARY));
  assert.ok(shows.length > 10);
  const said = reads.filter(({ path }) => path === `${ROOM}/messages`);
  await assert.rejects(check(said, { who: alice, told: /^200$/ }), /canary/, "what only members may read is noticed");
  await assert.rejects(check(said, { who: bob }), /messages: 200/, "and so is an open door");
});

test("what is at the path of one person is refused to another", async () => {
  const anybodyMay = named(`POST ${CLIENT}/users/:userId/report`);
  const theirs = without(signedIn.filter(has(":userId")), anybodyMay);
  await check(theirs, { who: carol, told: /^403 M_FORBIDDEN$/ });
  await check(theirs, { who: dave, told: /^403 M_FORBIDDEN$/ });
  // A member sees when others are there.
  const memberMay = named(`GET ${CLIENT}/presence/:userId/status`);
  await check(without(theirs, memberMay), { who: bob, told: /^403 M_FORBIDDEN$/ });
});

test("what has an id and is of one person is not there for another", async () => {
  // The password is asked for before anything is looked for.
  const asksFirst = named(`DELETE ${CLIENT}/devices/:deviceId`);
  const theirs = signedIn.filter(({ path }) => BY_ID.test(path));
  for (const who of [bob, carol]) await check(without(theirs, asksFirst), { who });
  await check(theirs.filter(asksFirst), { who: carol, told: /^401$/ });
});

/** What is answered alike for rooms that are there and for others: nothing is learnt from it. */
const tellsNothing = named(`POST ${ROOM}/forget`, `POST ${ROOM}/report`);

test("a private room is closed to who was never in it, and to who is banned", async () => {
  for (const who of [carol, dave]) await check(without(ofRooms, tellsNothing), { who });
  const asMissing = async (roomId: string) => {
    const { token } = carol as Person;
    const answers = await askRoutes(ofRooms.filter(tellsNothing), { url: server.url, token, values: { roomId } });
    return answers.map(([, { text }]) => text);
  };
  assert.deepEqual(await asMissing(room.id), await asMissing("!none:localhost"));
});

test("who is invited to a private room sees what an invitation shows, and changes nothing in it", async () => {
  const mayCome = named(`POST ${ROOM}/join`, `POST ${CLIENT}/join/:roomIdOrAlias`, `POST ${ROOM}/leave`);
  const shown = named(`GET ${ROOM_V1}/hierarchy`, "GET /_matrix/client/v1/room_summary/:roomIdOrAlias");
  const fits = (route: Mounted) => tellsNothing(route) || mayCome(route) || shown(route);
  await check(without(ofRooms, fits), { who: frank });
});

test("who has left changes nothing, and sees nothing that came later", async () => {
  const [owner, erin] = [alice as Person, await registerPerson(server.url, "erin")];
  await room.change(owner, "invite", erin);
  await room.change(erin, "join");
  await room.change(erin, "leave");
  const late = `late-${CANARY}`;
  const eventId = await room.say(owner, late);
  await room.set(owner, "m.room.name", { name: late });
  // Leaving once more is no mistake: nothing happens.
  const isNothing = named(`POST ${ROOM}/leave`);
  const fits = (route: Mounted) => route.method === "GET" || tellsNothing(route) || isNothing(route);
  await check(without(ofRooms, fits), { who: erin });
  const asked = { url: server.url, token: erin.token, values: { ...values, eventId, eventType: "m.room.name" } };
  const reads = await askRoutes(
    ofRooms.filter(({ method }) => method === "GET"),
    asked,
  );
  assert.deepEqual(
    reads.filter(([, { text }]) => text.includes(late)).map(([name]) => name),
    [],
  );
  const byEvent = reads.filter(([name]) => name.includes(":eventId"));
  assert.deepEqual(
    byEvent.filter(([, { told }]) => !REFUSED.test(told)).map(([name]) => name),
    [],
  );
});

test("a member without power does nothing that takes power", async () => {
  const memberMay = named(
    ...["join", "leave", "report/:eventId", "receipt/:receiptType/:eventId", "read_markers"].map(
      (verb) => `POST ${ROOM}/${verb}`,
    ),
    `POST ${CLIENT}/join/:roomIdOrAlias`,
    `PUT ${ROOM}/send/:eventType/:txnId`,
    `POST ${ROOM}/send/:eventType`,
  );
  const writes = ofRooms.filter(({ method }) => method !== "GET");
  const others = { userId: (carol as Person).userId, eventType: "m.room.topic" };
  const taking = without(writes, (route) => tellsNothing(route) || memberMay(route));
  await check(taking, { who: bob, with: others, told: /^403 M_FORBIDDEN$/ });
});

test("an event of a private room is not found by way of another room", async () => {
  const own = await createRoom(carol as Person);
  const byEvent = signedIn.filter(has(":eventId"));
  await check(byEvent, { who: carol, with: { roomId: own.id } });
});
