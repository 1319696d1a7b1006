import assert from "node:assert/strict";
import { after, test } from "node:test";
import { registerPerson, request } from "../../../testkit/src/http.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { sections as accountSections } from "../account/for-export.ts";
import { sections as messageSections } from "../messages/for-export.ts";
import { placeHold } from "../retention/holds.ts";

const server = await startTestServer();
after(() => server.stop());

const V3 = "/_matrix/client/v3";

function passwordOf(name: string) {
  return { type: "m.login.password", identifier: { type: "m.id.user", user: name }, password: `password of ${name}` };
}

test("with erase what is no event goes too, out of the rooms as well; without it, or under a legal hold, it stays", async () => {
  const { ctx } = server;
  const witness = await registerPerson(server.url, "witness");
  const room = await witness.call("POST", `${V3}/createRoom`, { preset: "public_chat" });
  const roomPath = `${V3}/rooms/${encodeURIComponent(room.room_id)}`;
  const end = async (name: string, erase: boolean, hold = false) => {
    const person = await registerPerson(server.url, name);
    const data = `${V3}/user/${person.userId}/account_data/org.example.notes`;
    await person.call("PUT", data, { text: "mine" });
    await person.call("POST", `${V3}/user/${person.userId}/filter`, {});
    await person.call("POST", `${roomPath}/join`, {});
    if (hold) await placeHold(ctx, { roomId: undefined, userId: person.userId, reason: "a case", by: witness.userId });
    await person.call("POST", `${V3}/account/deactivate`, { auth: passwordOf(name), erase });
    const left = [];
    for (const section of [...accountSections, ...messageSections])
      if ((await section.read(ctx, { userId: person.userId, after: "", limit: 10 })).records.length > 0)
        left.push(section.name);
    const member = await witness.call("GET", `${roomPath}/state/m.room.member/${person.userId}`);
    const profile = await request(server.url, "GET", `${V3}/profile/${person.userId}`);
    return { left, member: member.displayname, profile: profile.body.displayname };
  };
  const erased = await end("erased", true);
  assert.deepEqual([erased.member, erased.profile], [undefined, undefined]);
  for (const name of ["profile", "filters", "account_data"]) assert.ok(!erased.left.includes(name), name);
  for (const kept of [await end("kept", false), await end("held", true, true)])
    for (const name of ["profile", "filters", "account_data"]) assert.ok(kept.left.includes(name), name);
});
