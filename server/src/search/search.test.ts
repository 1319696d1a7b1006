import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { registerPerson, type Person, type Json } from "../../../testkit/src/http.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { limits } from "../limits.ts";
import { readTerm, vectorOf } from "./words.ts";

let server: Awaited<ReturnType<typeof startTestServer>>;
let alice: Person;
let bob: Person;
before(async () => {
  server = await startTestServer();
  alice = await registerPerson(server.url, "alice");
  bob = await registerPerson(server.url, "bob");
});
after(() => server[Symbol.asyncDispose]());

let sent = 0;

async function room(person: Person, options: object = {}): Promise<string> {
  return (await person.call("POST", "/_matrix/client/v3/createRoom", { preset: "private_chat", ...options })).room_id;
}

async function put(person: Person, roomId: string, content: object): Promise<string> {
  const path = `/_matrix/client/v3/rooms/${roomId}/send/m.room.message/t${++sent}`;
  return (await person.call("PUT", path, { msgtype: "m.text", ...content })).event_id;
}

const say = (person: Person, roomId: string, body: string) => put(person, roomId, { body });
const act = (person: Person, ...[roomId, verb, body = {}]: [string, string, object?]) =>
  person.call("POST", `/_matrix/client/v3/rooms/${roomId}/${verb}`, body);

async function ask(
  person: Person,
  ...[search_term, options = {}, next = ""]: [string, object?, string?]
): Promise<Json> {
  const query = next === "" ? "" : `?next_batch=${next}`;
  const room_events = { search_term, ...options };
  const answer = await person.call("POST", `/_matrix/client/v3/search${query}`, { search_categories: { room_events } });
  return answer.search_categories.room_events;
}

const idsOf = (found: Json): string[] => found.results.map((each: Json) => each.result.event_id);
const inRooms = (...rooms: string[]) => ({ filter: { rooms } });

test("what was just sent is found by its words, by how they begin, and in each of its keys", async () => {
  const id = await room(alice, { name: "Garden party", topic: "Tomatoes and basil" });
  const hello = await say(alice, id, "Hello, wörld");
  const found = await ask(alice, "hello", { keys: ["content.body"], ...inRooms(id) });
  assert.deepEqual([found.count, idsOf(found), found.highlights], [1, [hello], ["hello"]]);
  assert.equal(found.results[0].result.content.body, "Hello, wörld");
  assert.equal(found.results[0].result.room_id, id);
  assert.deepEqual(idsOf(await ask(alice, "WORLD", inRooms(id))), [hello]);
  assert.deepEqual((await ask(alice, "wor", inRooms(id))).highlights, ["wörld"]);
  assert.deepEqual(idsOf(await ask(alice, "wo", inRooms(id))), [], "two letters are a word of their own");
  assert.equal((await ask(alice, "garden", inRooms(id))).results[0].result.type, "m.room.name");
  assert.equal((await ask(alice, "basil", inRooms(id))).results[0].result.type, "m.room.topic");
  assert.equal((await ask(alice, "basil", { keys: ["content.body"], ...inRooms(id) })).count, 0);
  assert.equal((await ask(alice, "garden hello", inRooms(id))).count, 0, "all words must be in one text");
  assert.equal((await ask(alice, "?!", inRooms(id))).count, 0);
});

test("phrases, and languages that have no spaces", async () => {
  const id = await room(alice);
  const [one, two] = [await say(alice, id, "red green blue"), await say(alice, id, "green red blue")];
  assert.deepEqual(idsOf(await ask(alice, '"red green"', inRooms(id))), [one]);
  assert.equal((await ask(alice, "red green", inRooms(id))).count, 2);
  const tokyo = await say(alice, id, "明日は東京で会議です");
  await say(alice, id, "京東");
  const found = await ask(alice, "東京", inRooms(id));
  assert.deepEqual([idsOf(found), found.highlights], [[tokyo], ["東京"]]);
  const greek = await say(alice, id, "Καλημέρα σε όλους");
  assert.deepEqual(idsOf(await ask(alice, "καλημερα", inRooms(id))), [greek]);
  const odd = await say(alice, id, `it's a 'quoted' back\\slash \u0000`);
  assert.deepEqual(idsOf(await ask(alice, "quoted' back\\slash", inRooms(id))), [odd]);
  assert.ok(two);
});

test("to rank texts that repeat their words, and terms of very many, is little work", async () => {
  const marks = vectorOf("knock ".repeat(300), "!room:localhost")?.match(/\dA/g);
  assert.equal(marks?.length, limits.searchRanked_places);
  const many = Array.from({ length: 900 }, (_, index) => String.fromCodePoint(0x4e00 + index)).join("");
  const pieces = readTerm(`"${many}" knock`).parts.flatMap((part) => part.pieces);
  assert.equal(pieces.length, limits.searchTerm_pieces);
  const id = await room(alice);
  const late = await say(alice, id, `${"tick ".repeat(50)} tock`);
  assert.deepEqual(idsOf(await ask(alice, '"tick tock"', inRooms(id))), [late]);
  assert.ok((await ask(alice, "tick tock", inRooms(id))).results[0].rank > 0);
});

test("pages go on where the one before ended, in both orders, and tell how many there are", async () => {
  const id = await room(alice);
  const ids: string[] = [];
  for (let n = 0; n < 7; n++) ids.push(await say(alice, id, `Message number ${n}`));
  const page = (by: string, next = "") =>
    ask(alice, "Message", { order_by: by, filter: { limit: 3, rooms: [id] } }, next);
  for (const [by, all] of [
    ["recent", ids.toReversed()],
    ["rank", ids],
  ] as const) {
    const got: string[] = [];
    let next = "";
    do {
      const found: Json = await page(by, next);
      assert.equal(found.count, 7);
      got.push(...idsOf(found));
      next = found.next_batch ?? "";
    } while (next !== "");
    assert.deepEqual(got, all, by);
  }
  const { next_batch } = await page("recent");
  const other = { search_categories: { room_events: { search_term: "x", order_by: "rank" } } };
  for (const token of [next_batch, "nonsense"]) {
    const { status, body } = await alice.ask("POST", `/_matrix/client/v3/search?next_batch=${token}`, other);
    assert.deepEqual([status, body.errcode], [400, "M_INVALID_PARAM"]);
  }
});

test("what is around a result, with the names of then, and the state of its room", async () => {
  const id = await room(alice);
  await alice.call("PUT", `/_matrix/client/v3/profile/${alice.userId}/displayname`, { displayname: "Alice then" });
  for (let n = 1; n <= 7; n++) await say(alice, id, `Note number ${n}`);
  await alice.call("PUT", `/_matrix/client/v3/profile/${alice.userId}/displayname`, { displayname: "Alice now" });
  const found = await ask(alice, "Note 4", {
    event_context: { before_limit: 2, after_limit: 2, include_profile: true },
    include_state: true,
    ...inRooms(id),
  });
  const { context } = found.results[0];
  const bodies = (events: Json) => events.map((each: Json) => each.content.body);
  assert.deepEqual(bodies(context.events_before), ["Note number 3", "Note number 2"]);
  assert.deepEqual(bodies(context.events_after), ["Note number 5", "Note number 6"]);
  assert.deepEqual(context.profile_info, { [alice.userId]: { displayname: "Alice then" } });
  assert.ok(found.state[id].some((each: Json) => each.type === "m.room.create"));
  const { end } = context;
  const on = await alice.call("GET", `/_matrix/client/v3/rooms/${id}/messages?dir=f&from=${end}&limit=1`);
  assert.deepEqual(bodies(on.chunk), ["Note number 7"]);
  assert.equal((await ask(alice, "Note 4", inRooms(id))).results[0].context, undefined);
});

test("groups by room and sender, each with a page of its own", async () => {
  const [one, two] = [await room(alice), await room(alice, { invite: [bob.userId] })];
  await act(bob, two, "join");
  const a = [await say(alice, one, "pumpkin soup"), await say(alice, one, "pumpkin soup")];
  const b = [await say(bob, two, "pumpkin soup"), await say(bob, two, "pumpkin soup")];
  const options = { order_by: "recent", groupings: { group_by: [{ key: "room_id" }, { key: "sender" }] } };
  const whole = await ask(alice, "pumpkin", { ...options, ...inRooms(one, two) });
  assert.deepEqual(whole.groups.room_id[one].results, a.toReversed());
  assert.deepEqual(whole.groups.sender[bob.userId].results, b.toReversed());
  assert.deepEqual([whole.groups.room_id[two].order, whole.groups.room_id[one].order], [1, 2]);
  const first = await ask(alice, "pumpkin", { ...options, filter: { rooms: [one, two], limit: 3 } });
  const again = { ...options, filter: { rooms: [one, two], limit: 3 } };
  const next = await ask(alice, "pumpkin", again, first.groups.room_id[one].next_batch);
  assert.deepEqual(idsOf(next), [a[0]]);
});

test("filters: senders, rooms, types and whether there is a link", async () => {
  const id = await room(alice, { invite: [bob.userId], name: "walrus" });
  await act(bob, id, "join");
  const hers = await say(alice, id, "walrus");
  const his = await put(bob, id, { msgtype: "m.file", body: "walrus.pdf", url: "mxc://localhost/abc" });
  const of = async (filter: object) =>
    new Set(idsOf(await ask(alice, "walrus", { filter: { rooms: [id], ...filter } })));
  assert.deepEqual(await of({ senders: [bob.userId] }), new Set([his]));
  assert.deepEqual(await of({ not_senders: [bob.userId], types: ["m.room.mess*"] }), new Set([hers]));
  assert.deepEqual(await of({ contains_url: true }), new Set([his]));
  assert.deepEqual(await of({ not_rooms: [id] }), new Set());
  assert.equal((await of({ not_types: ["m.room.message"] })).size, 1);
});

test("nobody finds what they may not see, and no number tells of it", async () => {
  const id = await room(alice, { invite: [bob.userId] });
  await act(bob, id, "join");
  const early = await say(alice, id, "secret one");
  await act(bob, id, "leave");
  await say(alice, id, "secret two");
  const found = await ask(bob, "secret", inRooms(id));
  assert.deepEqual([idsOf(found), found.count], [[early], 1]);
  assert.equal((await ask(alice, "secret", inRooms(id))).count, 2);

  await alice.call("PUT", `/_matrix/client/v3/rooms/${id}/state/m.room.history_visibility/`, {
    history_visibility: "invited",
  });
  await act(alice, id, "invite", { user_id: bob.userId });
  await say(alice, id, "secret three");
  assert.equal((await ask(bob, "secret", inRooms(id))).count, 0, "who is only invited reads nothing");
  await act(bob, id, "join");
  const seen = await ask(bob, "secret", { order_by: "recent", ...inRooms(id) });
  assert.deepEqual(
    seen.results.map((each: Json) => each.result.content.body),
    ["secret three", "secret two", "secret one"],
  );
  await act(bob, id, "leave");
  await act(bob, id, "forget");
  assert.equal((await ask(bob, "secret", inRooms(id))).count, 0);

  const carol = await registerPerson(server.url, "carol");
  assert.equal((await ask(carol, "secret", inRooms(id))).count, 0);
});

test("an edit replaces the text, its redaction brings the first back, and what is redacted is not found", async () => {
  const id = await room(alice);
  const event = await say(alice, id, "the meeting is on monday");
  const edit = await put(alice, id, {
    body: "* the meeting is on friday",
    "m.new_content": { msgtype: "m.text", body: "the meeting is on friday" },
    "m.relates_to": { rel_type: "m.replace", event_id: event },
  });
  const friday = await ask(alice, "friday", inRooms(id));
  assert.deepEqual([idsOf(friday), friday.highlights], [[event], ["friday"]]);
  assert.equal((await ask(alice, "monday", inRooms(id))).count, 0);
  const redact = (eventId: string) =>
    alice.call("PUT", `/_matrix/client/v3/rooms/${id}/redact/${eventId}/r${++sent}`, {});
  await redact(edit);
  assert.equal((await ask(alice, "friday", inRooms(id))).count, 0);
  assert.deepEqual(idsOf(await ask(alice, "monday", inRooms(id))), [event]);
  await redact(event);
  for (const order_by of ["rank", "recent"])
    assert.equal((await ask(alice, "meeting", { order_by, ...inRooms(id) })).count, 0);
});

test("an edit that the searcher may not see is not found, also where they saw what it replaces", async () => {
  const id = await room(alice, { invite: [bob.userId] });
  await act(bob, id, "join");
  const event = await say(alice, id, "the price is open");
  await act(bob, id, "leave");
  await put(alice, id, {
    body: "* the price is ninety",
    "m.new_content": { msgtype: "m.text", body: "the price is ninety" },
    "m.relates_to": { rel_type: "m.replace", event_id: event },
  });
  assert.deepEqual(idsOf(await ask(alice, "ninety", inRooms(id))), [event]);
  for (const term of ["ninety", "nin"]) assert.equal((await ask(bob, term, inRooms(id))).count, 0);
});

test("an encrypted room is never in the index, and one that becomes encrypted leaves it", async () => {
  const id = await room(alice);
  await say(alice, id, "plaintext zebra");
  assert.equal((await ask(alice, "zebra", inRooms(id))).count, 1);
  await alice.call("PUT", `/_matrix/client/v3/rooms/${id}/state/m.room.encryption/`, {
    algorithm: "m.megolm.v1.aes-sha2",
  });
  await say(alice, id, "another zebra");
  assert.equal((await ask(alice, "zebra", inRooms(id))).count, 0);
  const rows = await server.ctx.db.search.query("select 1 from search.events where room_id = $1", [id]);
  assert.equal(rows.length, 0);
});

test("whom the searcher ignores is not found", async () => {
  const id = await room(alice, { invite: [bob.userId] });
  await act(bob, id, "join");
  await say(bob, id, "kumquat");
  assert.equal((await ask(alice, "kumquat", inRooms(id))).count, 1);
  const ignore = (ignored_users: object) =>
    alice.call("PUT", `/_matrix/client/v3/user/${alice.userId}/account_data/m.ignored_user_list`, { ignored_users });
  await ignore({ [bob.userId]: {} });
  assert.equal((await ask(alice, "kumquat", inRooms(id))).count, 0);
  await ignore({});
});

test("a search that is none is refused, and one without a category finds none", async () => {
  const send = async (body: object) => {
    const { status, body: answer } = await alice.ask("POST", "/_matrix/client/v3/search", body);
    return [status, answer.errcode];
  };
  assert.deepEqual(await send({}), [400, "M_MISSING_PARAM"]);
  assert.deepEqual(await send({ search_categories: { room_events: {} } }), [400, "M_MISSING_PARAM"]);
  const wrong = (options: object) => ({ search_categories: { room_events: { search_term: "x", ...options } } });
  assert.equal((await send(wrong({ order_by: "best" })))[0], 400);
  assert.equal((await send(wrong({ groupings: { group_by: [{ key: "type" }] } })))[0], 400);
  assert.equal((await send(wrong({ keys: ["content.msgtype"] })))[0], 400);
  assert.deepEqual(await alice.call("POST", "/_matrix/client/v3/search", { search_categories: {} }), {
    search_categories: {},
  });
});

test("what a filter asks of relations holds for what is found", async () => {
  const id = await room(alice);
  const liked = await say(alice, id, "a green tomato");
  await say(alice, id, "a red tomato");
  const key = { rel_type: "m.annotation", event_id: liked, key: "👍" };
  const path = `/_matrix/client/v3/rooms/${id}/send/m.reaction/t${++sent}`;
  await alice.call("PUT", path, { "m.relates_to": key });
  const filter = { rooms: [id], related_by_rel_types: ["m.annotation"] };
  assert.deepEqual(idsOf(await ask(alice, "tomato", { filter })), [liked]);
  assert.deepEqual(idsOf(await ask(alice, "tomato", { filter: { ...filter, related_by_senders: [bob.userId] } })), []);
});
