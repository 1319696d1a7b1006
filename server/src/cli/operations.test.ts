/** The operator API in the shell: who asks, what is shown, and exit codes that scripts can trust. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parley as parleyWith } from "../../../testkit/src/command.ts";
import { type Json, request } from "../../../testkit/src/http.ts";
import { makeAdministrator, makeOperator } from "../../../testkit/src/operators.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { operations } from "../console/operations.ts";
import { commands } from "./commands.ts";
import { textOf } from "./operation-print.ts";

const parley = (env: Record<string, string>, ...typed: string[]) => parleyWith(typed, { env });

/** The settings of a command that is run beside the server. */
function beside(server: TestServer): Record<string, string> {
  return { DATABASE_URL: server.databaseUrl, PARLEY_PORT: new URL(server.url).port };
}

test("whoever has the database acts by a ticket, under the name of their account", async () => {
  await using server = await startTestServer();
  const env = beside(server);
  const made = await parley(env, "user", "create", "ana", "--json");
  assert.deepEqual([made.code, made.json().ok, made.json().user_id], [0, true, "@ana:localhost"]);
  assert.equal((await parley(env, "user", "suspend", "@ana:localhost", "--reason", "left")).code, 0);
  const list = await parley(env, "user", "list");
  assert.match(list.out, /^user_id +display_name +emails +role +status/);
  assert.match(list.out, /@ana:localhost +ana +- +- +suspended/);
  const { items } = (await parley(env, "audit", "list", "--json")).json();
  assert.deepEqual(
    items.map((each: Json) => [each.action, each.via, each.reason]),
    [
      ["users.suspend", "shell", "left"],
      ["users.create", "shell", null],
    ],
  );
  assert.match(items[0].actor, /^shell:[^@]+@.+/);
  const [tickets] = await server.ctx.db.console.query("select count(*) as left from console.shell_tickets");
  assert.deepEqual(tickets, { left: 0 }, "each was used");
});

test("whoever has only a token acts by it, with the role of its person", async () => {
  await using server = await startTestServer();
  const directory = mkdtempSync(join(tmpdir(), "parley-token-"));
  const auditor = await makeOperator(server, "olga", "auditor");
  writeFileSync(join(directory, "token"), `${auditor.token}\n`);
  const env = {
    PARLEY_SERVER_URL: server.url,
    PARLEY_ADMIN_TOKEN: `file://${directory}/token`,
    PARLEY_DATA_DIR: directory,
  };
  assert.match((await parley(env, "user", "show", auditor.userId)).out, /role +auditor/);
  const refused = await parley(env, "user", "suspend", auditor.userId, "--reason", "x", "--json");
  assert.deepEqual(
    [refused.code, refused.json().errcode, refused.json().required_role],
    [1, "M_FORBIDDEN", "operator"],
  );
  const nobody = await parley({ PARLEY_SERVER_URL: server.url, PARLEY_DATA_DIR: directory }, "user", "list");
  assert.equal(nobody.code, 1);
  assert.match(nobody.error, /set PARLEY_ADMIN_TOKEN/);
  rmSync(directory, { recursive: true });
});

test("0 is done, 1 is refused or failed, 2 is not understood", async () => {
  await using server = await startTestServer();
  const env = beside(server);
  const codes = async (...typed: string[]) => (await parley(env, ...typed)).code;
  assert.equal(await codes("audit", "verify"), 0);
  assert.equal(await codes("user", "show", "@nobody:localhost"), 1);
  assert.equal(await codes("user", "suspend", "@nobody:localhost"), 2, "a reason is missing");
  assert.equal(await codes("user", "list", "--limit", "many"), 2);
  assert.equal(await codes("user", "list", "--colour", "red"), 2);
  assert.equal(await codes("user", "show"), 2);
  await parley(env, "user", "create", "ana");
  await server.ctx.db.console.change("update console.audit_head set hash = sha256('x')");
  assert.equal(await codes("audit", "verify"), 1, "the chain is broken");
  const away = await parley({ ...env, PARLEY_SERVER_URL: "http://127.0.0.1:1" }, "user", "list");
  assert.equal(away.code, 1);
  assert.match(away.error, /No Parley answers/);
});

test("all pages of a list, and a stream into a file", async () => {
  await using server = await startTestServer();
  const env = beside(server);
  for (const name of ["ana", "ben", "cleo"]) await parley(env, "user", "create", name);
  const { items, next } = (await parley(env, "user", "list", "--limit", "1", "--all", "--json")).json();
  assert.deepEqual([items.length, next], [3, undefined]);
  const directory = mkdtempSync(join(tmpdir(), "parley-export-"));
  const path = join(directory, "audit.csv");
  const written = await parley(env, "audit", "export", "--format", "csv", "--output", path, "--json");
  assert.equal(written.json().bytes, readFileSync(path).length);
  assert.equal((await parley(env, "audit", "export", "--output", path)).code, 1, "a file that is there stays as it is");
  assert.match((await parley(env, "audit", "export", "--format", "csv")).out, /^position,/);
  rmSync(directory, { recursive: true });
});

test("a secret is read from a file and is no option, and a name can not move the cursor of a terminal", async () => {
  await using server = await startTestServer();
  const env = beside(server);
  const directory = mkdtempSync(join(tmpdir(), "parley-secret-"));
  writeFileSync(join(directory, "password"), "password of ana\n");
  assert.equal((await parley(env, "user", "create", "ana", "--password", "x")).code, 2);
  const made = await parley(env, "user", "create", "ana", "--password-file", join(directory, "password"), "--json");
  assert.equal(made.json().link, null);
  const login = {
    type: "m.login.password",
    identifier: { type: "m.id.user", user: "ana" },
    password: "password of ana",
  };
  assert.equal((await request(server.url, "POST", "/_matrix/client/v3/login", { body: login })).status, 200);
  await parley(env, "user", "rename", "@ana:localhost", "a\u001b[2Jb", "--reason", "x");
  const list = await parley(env, "user", "list");
  assert.ok(!list.out.includes("\u001b"), list.out);
  rmSync(directory, { recursive: true });
});

test("a moment is taken as it is printed, as a day, and as the API has it; and nothing else is", async () => {
  await using server = await startTestServer();
  const env = beside(server);
  await parley(env, "user", "create", "ana");
  const since = async (typed: string) => {
    const { code, json } = await parley(env, "audit", "list", "--since-ts", typed, "--json");
    return code === 0 ? json().items.length : [code, json().error];
  };
  const [, printed = ""] = /(\d{4}-\S+Z)/.exec((await parley(env, "audit", "list")).out) ?? [];
  assert.equal(await since(printed), 1);
  assert.equal(await since("2026-01-31"), 1);
  assert.equal(await since("2026-01-31T09:30+02:00"), 1);
  assert.equal(await since(`${Date.parse("2026-01-31")}`), 1);
  assert.equal(await since("2999-01-01"), 0);
  const forms = "2026-01-31 (UTC), 2026-01-31T09:30:00Z, or milliseconds since 1970";
  for (const typed of ["yesterday", "2026-13-01", "2026-01-31T09:30", ""])
    assert.deepEqual(await since(typed), [2, `since_ts "${typed}" is no moment: ${forms}.`]);
});

test("what failed of many says why, sentences have a line each, and no text turns what is behind it around", () => {
  const text = (answer: Record<string, unknown>) => textOf({}, answer);
  const many = [
    { user_id: "@a:b", ok: true },
    { user_id: "@c:b", ok: false, error: "There is no such account." },
  ];
  assert.match(text({ items: many }), /^user_id +ok +error\n@a:b +true +-\n@c:b +false +There is no such account\.$/);
  assert.match(text({ details: ["One is so.", "Two is not."] }), /^details +One is so\.\n +Two is not\.$/);
  assert.equal(text({ path: [], items: [] }), "Nothing.");
  assert.doesNotMatch(text({ path: [{ from: "Ana" }], items: [] }), /Nothing/);
  assert.equal(text({ name: "a\u202Eb\u2066c\u2028d" }), "name  a\uFFFDb\uFFFDc\uFFFDd");
});

test("every operation has a command of its own, and each says what it takes", async () => {
  const names = commands.map(({ name }) => name);
  assert.deepEqual(
    names.filter((name, i) => names.indexOf(name) !== i),
    [],
  );
  for (const { id, method, command, path, body } of operations) {
    assert.ok(command, `${id} has no command: what the console does, the shell does`);
    assert.equal(command.file !== undefined, body === "stream", `${id}: a body that is a file`);
    const known = commands.find(({ name }) => name === command.name);
    const places = known?.arguments?.length ?? 0;
    assert.equal(places, command.arguments?.length ?? 0, id);
    // A command without a place for a parameter of its path could never be run.
    for (const [, name = ""] of path.matchAll(/:([^/]+)/g))
      assert.ok(command.arguments?.includes(name), `${id} ${name}`);
    if (method === "GET") assert.equal(body, undefined, id);
  }
});

test("a person who is made an administrator needs no row to be an owner", async () => {
  await using server = await startTestServer();
  const root = await makeAdministrator(server, "root");
  assert.match((await parley(beside(server), "user", "list", "--role", "owner")).out, new RegExp(root.userId));
});
