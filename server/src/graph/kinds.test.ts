/**
 * Who in the graph is a person, a bot, or an application service's; which services are sent what happens in a room; and what rooms of old
 * versions say.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { askAs, startService } from "../../../testkit/src/appservice.ts";
import { registerPerson } from "../../../testkit/src/http.ts";
import { makeAdministrator } from "../../../testkit/src/operators.ts";
import { createRoom } from "../../../testkit/src/room.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { putRecent } from "./accounts.ts";
import { turn, wholeLookAfter_ms } from "./worker.ts";

const API = "/_parley/admin/v1";
const V3 = "/_matrix/client/v3";
const irc = await startService("irc");
// The worker is the test's own, so that it is known when everything is in.
const server = await startTestServer({
  config: { appservices: [irc.file], roles: ["auth", "messages", "keys", "web"] },
});
after(async () => {
  await server.stop();
  await irc[Symbol.asyncDispose]();
});
const root = await makeAdministrator(server, "root");
const ana = await registerPerson(server.url, "ana");

async function build(): Promise<void> {
  while (await turn(server.ctx, "test", new AbortController().signal));
}

test("bots and the users of application services have a kind of their own, in pictures and in counts", async () => {
  const room = await createRoom(ana, { name: "Bridge" });
  await root.call("POST", `${API}/bots`, { username: "deploys", owner: "ana", purpose: "Says what was released" });
  const ghost = { type: "m.login.application_service", username: "_irc_ben", inhibit_login: true };
  await askAs(server.url, irc, "POST", `${V3}/register`, {}, ghost);
  for (const user_id of ["@_irc_ben:localhost", "@_irc_bot:localhost"]) {
    const joined = await askAs(server.url, irc, "POST", `${V3}/join/${encodeURIComponent(room.id)}`, { user_id }, {});
    assert.equal(joined.status, 200, JSON.stringify(joined.body));
  }
  await build();
  const { nodes, details, edges } = await root.call(
    "GET",
    `${API}/graph/who-can-read?room_id=${encodeURIComponent(room.id)}`,
  );
  const types = new Map(nodes.map(({ id, type }: { id: string; type: string }) => [id, type]));
  assert.equal(types.get("@_irc_ben:localhost"), "service");
  assert.equal(types.get("@_irc_bot:localhost"), "service", "the sender, which has no account");
  assert.equal(types.get(ana.userId), "person");
  assert.equal(types.get("service irc"), "service");
  assert(details.includes("The application service irc (@_irc_bot:localhost) is sent what happens in it."));
  assert(edges.some(({ from, to }: { from: string; to: string }) => from === room.id && to === "service irc"));
  const { counts } = await root.call("GET", `${API}/graph/status`);
  assert.deepEqual([counts.bot, counts.service], [1, 2]);
  const { roots, nodes: reached } = await root.call("GET", `${API}/graph/reach?user_id=@deploys:localhost`);
  assert.equal(reached.find(({ id }: { id: string }) => id === roots[0]).type, "bot");
});

test("who is given a role, or loses it, is shown so at once, without a worker", async () => {
  await build();
  const olga = await registerPerson(server.url, "olga");
  const role = async () => {
    const { items } = await root.call("GET", `${API}/graph/administrators-paths`);
    return items.find((item: { user_id: string }) => item.user_id === olga.userId)?.role;
  };
  const set = (given: string | null) =>
    root.call("PUT", `${API}/users/${olga.userId}/role`, { role: given, reason: "On call" });
  assert.equal(await role(), undefined);
  for (const given of ["auditor", "owner", "operator", null]) {
    await set(given);
    assert.equal(await role(), given ?? undefined);
  }
});

test("who is suspended or deactivated counts as news, without a look through all accounts", async () => {
  const [kim, lee] = [await registerPerson(server.url, "kim"), await registerPerson(server.url, "lee")];
  const { ctx } = server;
  await ctx.db.auth.query("update auth.accounts set created_at = now() - interval '1 day'");
  await ctx.db.auth.query("update auth.sessions set last_seen_at = now() - interval '1 day'");
  await root.call("POST", `${API}/users/${kim.userId}/suspend`, { reason: "Away" });
  await root.call("POST", `${API}/users/${lee.userId}/deactivate`, { reason: "Left" });
  await putRecent(ctx, ctx.seams.now_ms() - 3_600_000);
  const rows = await ctx.db.graph.query<{ id: string; status: string }>(
    "select user_id as id, status from graph.people where user_id = any($1) order by 1",
    [[kim.userId, lee.userId]],
  );
  assert.deepEqual(rows, [
    { id: kim.userId, status: "suspended" },
    { id: lee.userId, status: "deactivated" },
  ]);
});

test("the longer it takes to look through all accounts, the less often it is done", () => {
  assert.equal(wholeLookAfter_ms(0), 60_000);
  assert.equal(wholeLookAfter_ms(2_000), 400_000);
  assert.equal(wholeLookAfter_ms(60_000), 900_000);
});

test("a room that no service is interested in names none", async () => {
  const room = await createRoom(ana, { name: "Quiet" });
  await build();
  const { nodes, details } = await root.call("GET", `${API}/graph/who-can-read?room_id=${encodeURIComponent(room.id)}`);
  assert(!nodes.some(({ type }: { type: string }) => type === "service"));
  assert(!details.some((detail: string) => detail.includes("application service")));
});

test("in a room of an old version power may be written as a text, and a join rule that came later lets nobody in", async () => {
  const parent = await createRoom(ana);
  const users = { [ana.userId]: "100", "@ben:localhost": " 50" };
  const allow = [{ type: "m.room_membership", room_id: parent.id }];
  const rules = { type: "m.room.join_rules", content: { join_rule: "restricted", allow } };
  const roomOf = (room_version: string) =>
    createRoom(ana, { room_version, power_level_content_override: { users, invite: "10" }, initial_state: [rules] });
  const [old, newer] = [await roomOf("7"), await roomOf("9")];
  await build();
  const { db } = server.ctx;
  const levels = (room: { id: string }) =>
    db.graph.query("select user_id, level from graph.powers where room_id = $1 order by level", [room.id]);
  const shown = (room: { id: string }) =>
    db.graph.one(
      `select join_rule, invite_level, (select count(*) from graph.admissions a where a.room_id = r.room_id) as ways
       from graph.rooms r where room_id = $1`,
      [room.id],
    );
  for (const room of [old, newer])
    assert.deepEqual(await levels(room), [
      { user_id: "@ben:localhost", level: 50 },
      { user_id: ana.userId, level: 100 },
    ]);
  assert.deepEqual(await shown(old), { join_rule: "unknown", invite_level: 10, ways: 0 });
  assert.deepEqual(await shown(newer), { join_rule: "restricted", invite_level: 10, ways: 1 });
});
