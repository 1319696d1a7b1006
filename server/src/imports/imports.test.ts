/** Imports, from the file to people who sign in and members who are in their rooms, whoever dies meanwhile. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Json, type Person, registerPerson, request } from "../../../testkit/src/http.ts";
import { diesIn } from "../../../testkit/src/mortal.ts";
import { makeAdministrator, makeOperator } from "../../../testkit/src/operators.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { roomPath } from "../../../testkit/src/syncing.ts";
import { setPasswordByLink } from "../auth/for-operators-acts.ts";
import { runJobs } from "../worker/jobs.ts";

const IMPORTS = "/_parley/admin/v1/imports";
const reason = "we move";

async function town() {
  // The jobs are worked on by the test itself, so that it can let a worker die.
  const server = await startTestServer({ config: { roles: ["auth", "messages", "gateway", "web"] } });
  const admin = await makeAdministrator(server, "root");
  return { server, admin, [Symbol.asyncDispose]: () => server.stop() };
}

const begin = (admin: Person, kind: string, body: object): Promise<Json> =>
  admin.call("POST", `${IMPORTS}/${kind}?dry_run=false`, { reason, ...body });
const dryRun = (admin: Person, kind: string, body: object): Promise<Json> =>
  admin.call("POST", `${IMPORTS}/${kind}`, { reason, ...body });
const log = async (admin: Person, importId: number): Promise<Json[]> =>
  (await admin.call("GET", `${IMPORTS}/${importId}/rows`)).items;

const CSV = `E-Mail,Full name,Other
Ana@example.org,"Ana ""A"" Alvarez",x
ben@example.org,,
root@example.org,Somebody else,
ana@elsewhere.org,Another Ana,
"not a name!@example.org",Wrong,`;
const people = { text: CSV, username_column: "E-mail", display_name_column: "full name" };

test("a dry run says what would become of each row, and changes nothing", async () => {
  await using town_ = await town();
  const { server, admin } = town_;
  const report = await dryRun(admin, "people", people);
  assert.deepEqual([report.rows, report.creates, report.exists, report.problem_count], [5, 2, 1, 2]);
  assert.deepEqual(
    report.problems.map((each: Json) => each.row),
    [5, 6],
  );
  assert.deepEqual([report.import_id, report.job_id], [null, null]);
  assert.equal((await server.ctx.db.auth.query("select 1 from auth.accounts")).length, 1);
  assert.deepEqual((await admin.call("GET", IMPORTS)).items, []);
});

test("people from CSV get accounts with their names, and sign in by their links", async () => {
  await using town_ = await town();
  const { server, admin } = town_;
  const { import_id } = await begin(admin, "people", people);
  await runJobs(server.ctx);
  const rows = await log(admin, import_id);
  assert.deepEqual(
    rows.map((each) => [each.row, each.outcome, each.result]),
    [
      [2, "created", "@ana:localhost"],
      [3, "created", "@ben:localhost"],
      [4, "exists", "@root:localhost"],
    ],
  );
  const ana = await admin.call("GET", "/_matrix/client/v3/profile/@ana:localhost");
  assert.equal(ana.displayname, 'Ana "A" Alvarez');
  const { items } = await admin.call("POST", `${IMPORTS}/${import_id}/links`, { reason });
  assert.deepEqual(
    items.map((each: Json) => each.user_id),
    ["@ana:localhost", "@ben:localhost"],
  );
  const token = new URL(items[0].link).searchParams.get("token");
  const userId = await setPasswordByLink(server.ctx, token as string, "a long enough password");
  assert.equal(userId, "@ana:localhost");
  const again = await admin.call("POST", `${IMPORTS}/${import_id}/links`, { reason });
  assert.deepEqual(
    again.items.map((each: Json) => each.user_id),
    ["@ben:localhost"],
    "who has a password gets no link",
  );
  const identifier = { type: "m.id.user", user: "ana" };
  const body = { type: "m.login.password", identifier, password: "a long enough password" };
  assert.equal((await request(server.url, "POST", "/_matrix/client/v3/login", { body })).status, 200);
});

test("no operator but an owner gets the link of somebody who has become one", async () => {
  await using town_ = await town();
  const { server, admin } = town_;
  const { import_id } = await begin(admin, "people", people);
  await runJobs(server.ctx);
  await server.ctx.db.auth.change("update auth.accounts set is_admin = true where user_id = '@ana:localhost'");
  const operator = await makeOperator(server, "olga", "operator");
  const linksFor = async (who: Person) =>
    (await who.call("POST", `${IMPORTS}/${import_id}/links`, { reason })).items.map((each: Json) => each.user_id);
  assert.deepEqual(await linksFor(operator), ["@ben:localhost"]);
  assert.deepEqual(await linksFor(admin), ["@ana:localhost", "@ben:localhost"]);
});

test("an import that there is none of has no log and no links", async () => {
  await using town_ = await town();
  const { admin } = town_;
  const log_ = await admin.ask("GET", "/_parley/admin/v1/imports/7/rows");
  const links = await admin.ask("POST", "/_parley/admin/v1/imports/7/links", { reason: "Day one" });
  for (const { status, body } of [log_, links])
    assert.deepEqual([status, body.errcode, body.error], [404, "M_NOT_FOUND", "There is no import 7."]);
});

test("a file that is not what it should be is refused in words that help", async () => {
  await using town_ = await town();
  const { admin } = town_;
  const refused = async (body: object) => {
    const { status, body: answer } = await admin.ask("POST", `${IMPORTS}/people?dry_run=true`, { reason, ...body });
    assert.deepEqual([status, answer.errcode], [400, "M_INVALID_PARAM"]);
    return answer.error as string;
  };
  assert.match(await refused({ text: "a,b\n1,2" }), /no column "username".*a, b/);
  assert.match(await refused({ text: 'username\n"open' }), /Line 2: a quote is not closed/);
  assert.match(await refused({ format: "slack", text: "{" }), /users.json is not JSON/);
  assert.match(await refused({ format: "mattermost", text: '{"type":"user","user":{}}' }), /Line 1 .*username/);
});

/** Runs the import's job with a worker that dies at each statement in turn, and then with one that lives. */
async function dyingAgainAndAgain(server: TestServer): Promise<number> {
  let deaths = 0;
  for (let dieAt = 2; ; dieAt++) {
    const when = dieAt % 2 === 0 ? "before" : "after";
    await server.ctx.db.console.change(
      "update console.jobs set leased_until = null, failures = 0 where state in ('queued', 'running')",
    );
    if (!(await diesIn(server.ctx, { at: dieAt, when, of: ["console", "auth", "rooms", "log"] }, runJobs)))
      return deaths;
    deaths += 1;
    assert.ok(deaths < 200, "an import does not end");
  }
}

test("an import of people that dies again and again makes each account once, and knows that it made it", async () => {
  await using town_ = await town();
  const { server, admin } = town_;
  const { import_id } = await begin(admin, "people", people);
  assert.ok((await dyingAgainAndAgain(server)) > 5);
  const rows = await log(admin, import_id);
  assert.deepEqual(
    rows.map((each) => each.outcome),
    ["created", "created", "exists"],
  );
  assert.equal((await admin.call("GET", "/_matrix/client/v3/profile/@ana:localhost")).displayname, 'Ana "A" Alvarez');
});

const slack = {
  format: "slack",
  owner: "@root:localhost",
  users: JSON.stringify([
    { id: "U1", name: "ana", profile: { real_name: "Ana" } },
    { id: "U2", name: "ben" },
    { id: "U3", name: "gone", deleted: true },
    { id: "U4", name: "stranger" },
  ]),
  channels: JSON.stringify([
    { name: "general", created: 1_400_000_000, members: ["U1", "U2", "U3", "U4"], topic: { value: "All" } },
    { name: "old", is_archived: true, members: ["U1"] },
    { name: "random", created: 1_500_000_000, members: ["U2"] },
  ]),
};

test("channels of a Slack export become rooms with their members, once, though the worker dies again and again", async () => {
  await using town_ = await town();
  const { server, admin } = town_;
  const [ana, ben] = [await registerPerson(server.url, "ana"), await registerPerson(server.url, "ben")];
  const dry = await dryRun(admin, "channels", slack);
  assert.deepEqual([dry.rows, dry.problem_count], [2, 1]);
  assert.match(dry.problems[0].message, /stranger.*no account/);
  const { import_id } = await begin(admin, "channels", slack);
  assert.ok((await dyingAgainAndAgain(server)) > 5);
  const rows = await log(admin, import_id);
  assert.deepEqual(
    rows.map((each) => [each.name, each.outcome, each.detail]),
    [
      ["general", "created", null],
      ["random", "created", null],
    ],
  );
  assert.equal((await server.ctx.db.log.query("select 1 from log.rooms")).length, 2, "no room is made twice");
  const general = rows[0]?.result as string;
  const joined = Object.keys((await ana.call("GET", roomPath(general, "joined_members"))).joined).toSorted();
  assert.deepEqual(joined, ["@ana:localhost", "@ben:localhost", "@root:localhost"]);
  const joins = await server.ctx.db.log.query(
    "select 1 from log.entries where room_id = $1 and type = 'm.room.member' and state_key = '@ana:localhost'",
    [general],
  );
  assert.equal(joins.length, 1, "nobody joins twice");
  const alias = await ben.call("GET", `/_matrix/client/v3/directory/room/${encodeURIComponent("#general:localhost")}`);
  assert.equal(alias.room_id, general);
  const { chunk } = await ben.call("GET", roomPath(general, "messages?dir=f&limit=1"));
  assert.equal(chunk[0].origin_server_ts, 1_400_000_000_000, "the room is as old as the channel");
});

test("rows of a CSV file become rooms, with a topic, an alias and members; what is wrong in it is told by its line", async () => {
  await using town_ = await town();
  const { server, admin } = town_;
  const ana = await registerPerson(server.url, "ana");
  const csv = (...lines: string[]) => ({ format: "csv", owner: "@root:localhost", channels: lines.join("\n") });
  for (const [wrong, message] of [
    [csv("title", "Lunch"), /There is no column "name"/],
    [csv("name;public", "Lunch"), /There is no column "name"/],
    [csv("name,public", "Lunch,perhaps"), /Line 2: "perhaps" in the column "public" is neither yes nor no/],
    [csv("name,topic", ",Soup"), /Line 2 has no name/],
  ] as const) {
    const { status, body } = await admin.ask("POST", "/_parley/admin/v1/imports/channels", {
      ...wrong,
      reason: "We move",
    });
    assert.deepEqual([status, body.errcode], [400, "M_INVALID_PARAM"]);
    assert.match(body.error, message);
  }
  const rooms = csv(
    "Name,Topic,Public,Members",
    'Release train,"What leaves, and when",yes,ana @root:localhost ana@example.org',
    "Board,,no,ana nobody",
  );
  const dry = await dryRun(admin, "channels", rooms);
  assert.deepEqual([dry.rows, dry.creates, dry.problem_count], [2, 2, 1]);
  const { import_id } = await begin(admin, "channels", rooms);
  await runJobs(server.ctx);
  const [open, closed] = await log(admin, import_id);
  assert.deepEqual([open?.["outcome"], closed?.["outcome"]], ["created", "created"]);
  const state = (room: Json, type: string) => ana.call("GET", roomPath(room.result, `state/${type}`));
  assert.equal((await state(open, "m.room.topic")).topic, "What leaves, and when");
  assert.equal((await state(open, "m.room.name")).name, "Release train");
  assert.equal((await state(open, "m.room.canonical_alias")).alias, "#release-train:localhost");
  assert.equal((await state(closed, "m.room.join_rules")).join_rule, "invite");
});

test("channels of a Mattermost export become rooms, private ones by invitation", async () => {
  await using town_ = await town();
  const { server, admin } = town_;
  const ana = await registerPerson(server.url, "ana");
  const lines = [
    { type: "version", version: 1 },
    { type: "team", team: { name: "t", display_name: "T" } },
    { type: "channel", channel: { team: "t", name: "secret", display_name: "Secret", type: "P", purpose: "hush" } },
    { type: "user", user: { username: "Ana", teams: [{ name: "t", channels: [{ name: "secret" }] }] } },
  ];
  const channels = lines.map((line) => JSON.stringify(line)).join("\n");
  const { import_id } = await begin(admin, "channels", { format: "mattermost", owner: "@root:localhost", channels });
  await runJobs(server.ctx);
  const [row] = await log(admin, import_id);
  assert.deepEqual([row?.["outcome"], row?.["row"]], ["created", 3]);
  const state = (type: string) => ana.call("GET", roomPath(row?.["result"], `state/${type}`));
  assert.equal((await state("m.room.join_rules")).join_rule, "invite");
  assert.equal((await state("m.room.topic")).topic, "hush");
  const users = await dryRun(admin, "people", { format: "mattermost", text: channels });
  assert.deepEqual([users.rows, users.exists], [1, 1]);
});
