/** What is left, for whom, of the words of somebody who ended their account and asked that they be erased. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Json, type Person, registerPerson } from "../../../testkit/src/http.ts";
import { startNeighbours } from "../../../testkit/src/neighbours.ts";
import { createRoom, say, sync } from "../../../testkit/src/syncing.ts";

const CLIENT = "/_matrix/client/v3";
const SLIDING = "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync";
const { server, alice } = await startNeighbours(["alice"]);

/** A room in which somebody wrote, who then ends their account; a member was there, and a newcomer comes. */
async function roomOfSomeoneGone(name: string, { erase }: { erase: boolean }) {
  const leaver = await registerPerson(server.url, name);
  const newcomer = await registerPerson(server.url, `${name}-newcomer`);
  const room = await createRoom(alice, { preset: "public_chat", name: "before" });
  const path = `${CLIENT}/rooms/${room}`;
  await leaver.call("POST", `${path}/join`, {});
  const mine = await say(alice, room, "words that stay");
  const theirs = await say(leaver, room, "words to forget");
  const edit = {
    "m.new_content": { msgtype: "m.text", body: "other words to forget" },
    body: "* other words to forget",
  };
  await say(leaver, room, { ...edit, "m.relates_to": { rel_type: "m.replace", event_id: theirs } });
  const auth = { type: "m.login.password", identifier: { type: "m.id.user", user: leaver.userId } };
  const proof = { auth: { ...auth, password: `password of ${name}` }, erase };
  await newcomer.call("POST", `${path}/join`, {});
  await leaver.call("POST", `${CLIENT}/account/deactivate`, proof);
  return { room, path, mine, theirs, leaver, newcomer };
}

const RANGES = [[0, 9]];
/** The room's messages as a person gets them, each way in which one does. */
async function toldTo(person: Person, { room, path, mine, theirs }: { [name: string]: Json }): Promise<Json[][]> {
  const lists = { all: { ranges: RANGES, timeline_limit: 20, required_state: [] } };
  const sliding = await person.call("POST", SLIDING, { lists });
  const search = { search_categories: { room_events: { search_term: "words", filter: { rooms: [room] } } } };
  const found = (await person.call("POST", `${CLIENT}/search`, search)).search_categories.room_events.results;
  const context = await person.call("GET", `${path}/context/${encodeURIComponent(mine)}`);
  return [
    (await sync(person)).rooms.join[room].timeline.events,
    sliding.rooms[room].timeline,
    (await person.call("GET", `${path}/messages?dir=b&limit=50`)).chunk,
    (await person.call("GET", `${path}/initialSync`)).messages.chunk,
    context.events_after,
    [await person.call("GET", `${path}/event/${encodeURIComponent(theirs)}`)],
    (await person.call("GET", `${CLIENT.replace("v3", "v1")}/rooms/${room}/relations/${encodeURIComponent(theirs)}`))
      .chunk,
    found.map(({ result }: Json) => result),
  ];
}

test("who was in the room sees erased words, who comes later sees that there were some; what others said stays", async () => {
  const gone = await roomOfSomeoneGone("erased", { erase: true });
  const { leaver, newcomer } = gone;
  for (const events of await toldTo(newcomer, gone)) {
    assert.doesNotMatch(JSON.stringify(events), /forget/);
    for (const event of events.filter(({ sender, type }) => sender === leaver.userId && type === "m.room.message"))
      assert.deepEqual(event.content, {});
  }
  const [timeline = []] = await toldTo(newcomer, gone);
  assert.deepEqual(
    timeline.filter(({ type }) => type === "m.room.message").map(({ sender, content }) => [sender, content.body]),
    [
      [alice.userId, "words that stay"],
      [leaver.userId, undefined],
      [leaver.userId, undefined],
    ],
  );
  const membership = timeline.findLast(({ state_key }) => state_key === leaver.userId);
  assert.equal(membership.content.membership, "leave", "state stays");
  for (const events of await toldTo(alice, gone)) assert.match(JSON.stringify(events), /forget/);
});

test("without being asked nothing is erased", async () => {
  const gone = await roomOfSomeoneGone("kept", { erase: false });
  for (const events of await toldTo(gone.newcomer, gone)) assert.match(JSON.stringify(events), /forget/);
});
