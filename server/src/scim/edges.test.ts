/** What directories say at the edges of SCIM: nothing where there should be something, twice what is said once, in an order of their own. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Json } from "../../../testkit/src/http.ts";
import { makeAdministrator } from "../../../testkit/src/operators.ts";
import { openDirectory } from "../../../testkit/src/scim.ts";
import { startTestServer } from "../../../testkit/src/server.ts";

const ADMIN = "/_parley/admin/v1";
const reason = "a test";

const server = await startTestServer();
after(() => server.stop());
const root = await makeAdministrator(server, "root");
const directory = await openDirectory(server, { owner: root, name: "Okta" });

const patch = (...Operations: object[]) => ({
  schemas: ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
  Operations,
});
const statusOf = async (userId: string): Promise<string> => (await root.call("GET", `${ADMIN}/users/${userId}`)).status;

/** The path of somebody who was made. Throws where the directory is refused. */
async function make(name: string, more: object = {}): Promise<string> {
  const made = await directory.ask("POST", "/Users", { userName: name, ...more });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return `/Users/${made.body.id}`;
}

test("nothing but a yes lets somebody in again whom the directory has shut out", async () => {
  const at = await make("out", { active: false });
  for (const [method, body] of [
    ["PATCH", patch({ op: "Replace", path: "active" })],
    ["PATCH", patch({ op: "Replace", path: "active", value: null })],
    ["PATCH", patch({ op: "Add", value: { active: null } })],
    ["PUT", { userName: "out", active: null }],
    ["PUT", { userName: "out" }],
  ] as const) {
    await directory.ask(method, at, body);
    assert.equal(await statusOf("@out:localhost"), "suspended", JSON.stringify(body));
  }
});

test("a filter names an attribute, and no member of a program's object", async () => {
  await make("constructor");
  for (const name of ["constructor", "__proto__"]) {
    const filter = encodeURIComponent(`${name} eq "constructor"`);
    const { status, body } = await directory.ask("GET", `/Users?filter=${filter}`);
    assert.deepEqual([status, body.scimType], [400, "invalidFilter"], name);
  }
});

test("what is said twice in an address is refused with a sentence", async () => {
  for (const query of ["attributes=id&attributes=userName", "filter=a&filter=b", "count=1&count=2"]) {
    const { status, body } = await directory.ask("GET", `/Users?${query}`);
    assert.deepEqual([status, body.status], [400, "400"], query);
  }
});

test("who was suspended by an operator too stays so when the directory lets them in", async () => {
  const at = await make("both");
  await directory.ask("PATCH", at, patch({ op: "Replace", path: "active", value: false }));
  await root.call("POST", `${ADMIN}/users/@both:localhost/suspend`, { reason });
  await directory.ask("PATCH", at, patch({ op: "Replace", path: "active", value: true }));
  assert.equal(await statusOf("@both:localhost"), "suspended");
});

test("one more address of a type is one more", async () => {
  const at = await make("two", { emails: [{ value: "one@corp.example", type: "work", primary: true }] });
  const added = patch({ op: "add", path: "emails", value: [{ value: "two@corp.example", type: "work" }] });
  const { body } = await directory.ask("PATCH", at, added);
  assert.deepEqual(
    body.emails.map(({ value }: Json) => value),
    ["one@corp.example", "two@corp.example"],
  );
  const first = patch({ op: "add", path: "emails", value: { value: "two@corp.example", type: "work", primary: true } });
  assert.deepEqual((await directory.ask("PATCH", at, first)).body.emails, [
    { value: "one@corp.example", type: "work", primary: false },
    { value: "two@corp.example", type: "work", primary: true },
  ]);
});

test("of several addresses those go that are named, however they are named, and all where none is", async () => {
  const values = ["a", "b", "c", "d"].map((name) => `${name}@corp.example`);
  const emails = values.map((value, index) => ({ value, type: index < 2 ? "work" : "other" }));
  const at = await make("several", { emails });
  const remove = async (operation: object): Promise<string[]> => {
    const { body } = await directory.ask("PATCH", at, patch({ op: "remove", ...operation }));
    return body.emails.map(({ value }: Json) => value);
  };
  assert.deepEqual(await remove({ path: "emails", value: [{ value: "A@corp.example" }] }), values.slice(1));
  assert.deepEqual(await remove({ path: 'emails[value eq "b@corp.example"]' }), values.slice(2));
  assert.deepEqual(await remove({ path: 'emails[type eq "work"]' }), values.slice(2));
  assert.deepEqual(await remove({ path: "emails" }), []);
});

test("clients that name a type of content for nothing, or end a path with a slash, are understood", async () => {
  const at = await make("leaving");
  const ask = (method: string, path: string) =>
    fetch(`${server.url}/scim/v2${path}`, {
      method,
      headers: { authorization: `Bearer ${directory.token}`, "content-type": "application/scim+json" },
    });
  assert.equal((await ask("GET", "/Users/")).status, 200);
  assert.equal((await ask("GET", `${at}/`)).status, 200);
  assert.equal((await ask("DELETE", at)).status, 204);
});
