import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Person, registerPerson } from "../../../testkit/src/http.ts";
import { startTestServer } from "../../../testkit/src/server.ts";

const server = await startTestServer({ config: { roles: ["auth", "messages"] } });
after(() => server.stop());

test("two hundred people who join one room at once are all in it, each by one event", async () => {
  const alice = await registerPerson(server.url, "alice");
  const people: Person[] = [];
  for (let i = 0; i < 200; i++) people.push(await registerPerson(server.url, `member${i}`));
  const { room_id } = await alice.call("POST", "/_matrix/client/v3/createRoom", { preset: "public_chat" });
  const room = `/_matrix/client/v3/rooms/${encodeURIComponent(room_id)}`;
  const answers = await Promise.all(people.map((person) => person.call("POST", `${room}/join`, {})));
  assert.ok(answers.every((answer) => answer.room_id === room_id));
  const { joined } = await alice.call("GET", `${room}/joined_members`);
  assert.deepEqual(Object.keys(joined).toSorted(), [alice, ...people].map(({ userId }) => userId).toSorted());
  const rows = await server.ctx.db.log.query(
    "select 1 from log.entries where room_id = $1 and type = 'm.room.member'",
    [room_id],
  );
  assert.equal(rows.length, 201);
});
