/** Directories against a server: the requests are those that Okta and Entra ID document. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Json, type Person, registerPerson } from "../../../testkit/src/http.ts";
import { makeAdministrator, makeOperator } from "../../../testkit/src/operators.ts";
import { openDirectory } from "../../../testkit/src/scim.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { limits } from "../limits.ts";

const ADMIN = "/_parley/admin/v1";
const USER = "urn:ietf:params:scim:schemas:core:2.0:User";
const reason = "a test";

const server = await startTestServer();
after(() => server.stop());
const root = await makeAdministrator(server, "root");
const okta = await openDirectory(server, { owner: root, name: "Okta" });
const entra = await openDirectory(server, { owner: root, name: "Entra" });

const patch = (...Operations: object[]) => ({
  schemas: ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
  Operations,
});
const whoIs = (userId: string): Promise<Json> => root.call("GET", `${ADMIN}/users/${userId}`);
const found = async (filter: string): Promise<Json[]> =>
  (await okta.ask("GET", `/Users?filter=${encodeURIComponent(filter)}&startIndex=1&count=100`)).body.Resources;
const isSignedIn = async (person: Person) =>
  (await person.ask("GET", "/_matrix/client/v3/account/whoami")).status === 200;

/** Throws where the directory is refused. */
async function make(name: string, more: object = {}): Promise<Json> {
  const made = await okta.ask("POST", "/Users", { schemas: [USER], userName: name, ...more });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return made.body;
}

test("what Okta sends makes an account, finds it, changes it and ends its sessions", async () => {
  assert.deepEqual(await found('userName eq "test.user@okta.local"'), []);
  const sent = {
    schemas: [USER],
    userName: "test.user@okta.local",
    name: { givenName: "Test", familyName: "User" },
    emails: [{ primary: true, value: "Test.User@okta.local", type: "work" }],
    displayName: "Test User",
    locale: "en-US",
    externalId: "00ujl29u0le5T6Aj10h7",
    groups: [],
    password: "1mz050nq",
    active: true,
  };
  const made = await okta.ask("POST", "/Users", sent);
  assert.equal(made.status, 201);
  assert.equal(made.headers.get("content-type"), "application/scim+json");
  assert.equal(made.headers.get("location"), made.body.meta.location);
  const { id, meta, ...said } = made.body;
  const { locale: _, groups: __, password: ___, ...kept } = sent;
  assert.deepEqual(said, kept);
  assert.equal(meta.resourceType, "User");

  const userId = "@test.user:localhost";
  const account = await whoIs(userId);
  assert.deepEqual(
    [account.display_name, account.status, account.source, account.has_password],
    ["Test User", "active", "scim", false],
  );
  for (const filter of [
    'userName eq "TEST.user@okta.local"',
    'externalId eq "00ujl29u0le5T6Aj10h7"',
    `id eq "${id}"`,
    'emails.value eq "test.user@OKTA.local"',
    'emails[type eq "work"].value eq "test.user@okta.local"',
  ])
    assert.deepEqual(
      (await found(filter)).map((each) => each.id),
      [id],
      filter,
    );

  // Okta leaves its own id out here.
  const { externalId: _id, ...replaced } = {
    ...sent,
    name: { givenName: "Another", middleName: "Excited", familyName: "User" },
  };
  const changed = await okta.ask("PUT", `/Users/${id}`, { ...replaced, id, displayName: "Another User", meta });
  assert.equal(changed.status, 200);
  assert.equal(changed.body.externalId, sent.externalId);
  assert.equal(changed.body.name.middleName, "Excited");
  assert.equal((await whoIs(userId)).display_name, "Another User");

  const off = await okta.ask("PATCH", `/Users/${id}`, patch({ op: "replace", value: { active: false } }));
  assert.deepEqual([off.status, off.body.active], [200, false]);
  assert.equal((await whoIs(userId)).status, "suspended");
  const on = await okta.ask("PUT", `/Users/${id}`, { ...replaced, active: true });
  assert.deepEqual([on.status, on.body.active], [200, true]);
  assert.equal((await whoIs(userId)).status, "active");
});

test("what Entra ID sends changes names, addresses and the state, however it is written", async () => {
  const made = await entra.ask("POST", "/Users", {
    schemas: [USER, "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
    externalId: "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
    userName: "Test_Entra_00aa",
    active: true,
    emails: [{ primary: true, type: "work", value: "entra1@testuser.com" }],
    meta: { resourceType: "User" },
    name: { formatted: "givenName familyName", familyName: "familyName", givenName: "givenName" },
    roles: [],
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { department: "Sales" },
  });
  assert.equal(made.status, 201);
  const at = `/Users/${made.body.id}`;
  const userId = "@test_entra_00aa:localhost";
  assert.equal((await whoIs(userId)).display_name, "givenName familyName");

  const several = await entra.ask(
    "PATCH",
    at,
    patch(
      { op: "Replace", path: "displayName", value: "Pvlo" },
      { op: "Replace", path: 'emails[type eq "work"].value', value: "entra2@testuser.com" },
      { op: "Add", path: 'emails[type eq "other"].Value', value: "entra3@testuser.com" },
      { op: "Replace", path: "name.familyName", value: "updatedFamilyName" },
      { op: "Add", path: "title", value: "tester" },
      { op: "Replace", path: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber", value: "7" },
      { op: "Add", path: 'addresses[type eq "work"].country', value: "SE" },
    ),
  );
  assert.equal(several.status, 200);
  assert.equal(several.body.name.familyName, "updatedFamilyName");
  assert.equal(several.body.name.givenName, "givenName");
  assert.deepEqual(
    several.body.emails.map(({ value }: Json) => value),
    ["entra2@testuser.com", "entra3@testuser.com"],
  );
  assert.equal((await whoIs(userId)).display_name, "Pvlo");
  assert.deepEqual(await found('emails.value eq "entra1@testuser.com"'), [], "the address that was replaced is free");

  const pathless = await entra.ask(
    "PATCH",
    at,
    patch(
      { op: "replace", path: 'emails[type eq "work"].value', value: "entra4@testuser.com" },
      {
        op: "replace",
        value: { displayName: "Bjfe", "name.givenName": "Kkom", id: made.body.id, externalId: "new-id" },
      },
    ),
  );
  assert.deepEqual(
    [pathless.body.displayName, pathless.body.name.givenName, pathless.body.externalId, pathless.body.emails[0].value],
    ["Bjfe", "Kkom", "new-id", "entra4@testuser.com"],
  );
  for (const [value, status] of [
    ["False", "suspended"],
    ["True", "active"],
    [false, "suspended"],
    [true, "active"],
  ] as const) {
    const answer = await entra.ask("PATCH", at, patch({ op: "Replace", path: "active", value }));
    assert.deepEqual([answer.status, (await whoIs(userId)).status], [200, status], String(value));
  }
  const renamed = await entra.ask("PATCH", at, patch({ op: "Replace", path: "userName", value: "new@testuser.com" }));
  assert.equal(renamed.body.userName, "new@testuser.com");
  assert.deepEqual(
    (await found('userName eq "new@testuser.com"')).map((each) => each.id),
    [made.body.id],
  );
  const less = await entra.ask("PATCH", at, patch({ op: "Remove", path: 'emails[type eq "other"]' }));
  assert.equal(less.body.emails.length, 1);
});

test("the connection tests of Okta and Entra ID go through, and groups are refused with a sentence", async () => {
  const none = {
    schemas: ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
    totalResults: 0,
    startIndex: 1,
    itemsPerPage: 0,
    Resources: [],
  };
  for (const path of [
    '/Users?filter=userName+eq+"b5a1c4a0-random"',
    "/Groups?startIndex=1&count=100",
    '/Groups?excludedAttributes=members&filter=displayName+eq+"b5a1c4a0-random"',
  ])
    assert.deepEqual((await entra.ask("GET", path)).body, none, path);
  assert.equal((await okta.ask("GET", "/Users?startIndex=1&count=2")).status, 200);
  const config = (await okta.ask("GET", "/ServiceProviderConfig")).body;
  assert.deepEqual(
    [config.patch.supported, config.bulk.supported, config.filter.maxResults],
    [true, false, limits.scimPage_people],
  );
  const types = (await okta.ask("GET", "/ResourceTypes")).body.Resources;
  assert.deepEqual(
    types.map(({ endpoint }: Json) => endpoint),
    ["/Users"],
  );
  const [schema] = (await okta.ask("GET", "/Schemas")).body.Resources;
  assert.deepEqual((await okta.ask("GET", `/Schemas/${schema.id}`)).body, schema);
  const refused = await okta.ask("POST", "/Groups", { displayName: "Sales", members: [] });
  assert.deepEqual(
    [refused.status, refused.body.schemas, refused.body.status],
    [501, ["urn:ietf:params:scim:api:messages:2.0:Error"], "501"],
  );
  assert.equal((await okta.ask("GET", "/Me")).status, 404);
  assert.equal((await okta.ask("PUT", "/Users", {})).status, 405);
});

test("the list has everybody whom directories made, page by page", async () => {
  for (const name of ["page1", "page2", "page3"]) await make(name);
  const all = (await okta.ask("GET", "/Users")).body;
  assert.equal(all.totalResults, all.Resources.length);
  const pages = [];
  for (let start = 1; start <= all.totalResults; start += 2)
    pages.push(...(await okta.ask("GET", `/Users?startIndex=${start}&count=2`)).body.Resources);
  assert.deepEqual(pages, all.Resources);
  assert.ok(!JSON.stringify(all).includes("@root"));
  const counted = (await okta.ask("GET", "/Users?count=0")).body;
  assert.deepEqual([counted.totalResults, counted.Resources], [all.totalResults, []]);
  assert.equal((await okta.ask("GET", "/Users?startIndex=-3&count=-1")).body.startIndex, 1);
  const [only] = (await okta.ask("GET", "/Users?attributes=userName,name.givenName&count=1")).body.Resources;
  assert.deepEqual(Object.keys(only).toSorted(), ["id", "name", "schemas", "userName"]);
});

test("an account that was there before is found by its name and taken over, and not made again", async () => {
  const old = await registerPerson(server.url, "veteran");
  await server.ctx.db.auth.change(
    "insert into auth.third_party_ids (medium, address, user_id, validated_at) values ('email', 'own@example.org', $1, now())",
    [old.userId],
  );
  const [seen] = await found('userName eq "Veteran@corp.example"');
  assert.deepEqual([seen.userName, seen.emails[0].value, seen.active], ["veteran", "own@example.org", true]);
  assert.equal((await whoIs(old.userId)).source, "local");
  const again = await okta.ask("POST", "/Users", { userName: "veteran@corp.example" });
  assert.deepEqual([again.status, again.body.scimType], [409, "uniqueness"]);
  assert.equal((await okta.ask("DELETE", `/Users/${seen.id}`)).status, 403, "not before it was taken over");

  const emails = [{ value: "veteran@corp.example", type: "work", primary: true }];
  const taken = await okta.ask("PUT", `/Users/${seen.id}`, {
    userName: "veteran@corp.example",
    externalId: "v1",
    emails,
  });
  assert.deepEqual([taken.status, taken.body.userName, taken.body.emails], [200, "veteran@corp.example", emails]);
  assert.equal((await whoIs(old.userId)).source, "scim");
  await okta.ask("PATCH", `/Users/${seen.id}`, patch({ op: "replace", path: "emails", value: [] }));
  assert.equal((await found('emails.value eq "own@example.org"')).length, 1, "an own address stays the person's");
  assert.equal(await isSignedIn(old), true);
  await okta.ask("PATCH", `/Users/${seen.id}`, patch({ op: "replace", value: { active: false } }));
  assert.equal(await isSignedIn(old), false);
});

test("what is another's, or can not be, is refused with a sentence and changes nothing", async () => {
  const { id } = await make("first@corp.example", { externalId: "e1", emails: [{ value: "first@corp.example" }] });
  const second = await make("second@corp.example");
  const refusals: [object, number, string][] = [
    [{ userName: "first@elsewhere.example" }, 409, "uniqueness"],
    [{ userName: "third", externalId: "e1" }, 409, "uniqueness"],
    [{ userName: "third", emails: [{ value: "FIRST@corp.example" }] }, 409, "uniqueness"],
    [{ userName: "third", emails: [{ value: "no address" }] }, 400, "invalidValue"],
    [{ userName: "ж" }, 400, "invalidValue"],
    [{ userName: "_reserved" }, 400, "invalidValue"],
    [{ displayName: "Nobody" }, 400, "invalidValue"],
    [{ userName: "third", active: "perhaps" }, 400, "invalidValue"],
    [{ userName: "thi\0rd" }, 400, "invalidValue"],
  ];
  for (const [body, status, scimType] of refusals) {
    const answer = await okta.ask("POST", "/Users", body);
    assert.deepEqual([answer.status, answer.body.scimType], [status, scimType], JSON.stringify(body));
    assert.ok(answer.body.detail.length > 10);
  }
  const users = `/Users/${second.id}`;
  const patches: [object, string][] = [
    [{ op: "Replace", path: "id", value: "x" }, "mutability"],
    [{ op: "Remove", path: "userName" }, "mutability"],
    [{ op: "Remove" }, "invalidPath"],
    [{ op: "Replace", path: "emails[type gt 5]", value: "x" }, "invalidPath"],
    [{ op: "Replace", value: "x" }, "invalidValue"],
    [{ op: "Move", path: "userName", value: "x" }, "invalidSyntax"],
    [{ op: "Replace", path: "userName", value: "" }, "invalidValue"],
    [{ op: "Replace", path: "userName", value: "first@corp.example" }, "uniqueness"],
    [{ op: "Replace", path: "externalId", value: "e1" }, "uniqueness"],
  ];
  for (const [operation, scimType] of patches)
    assert.equal((await okta.ask("PATCH", users, patch(operation))).body.scimType, scimType, JSON.stringify(operation));
  for (const filter of ['userName sw "x"', 'userName eq "x" and active eq true', "userName eq x", 'title eq "x"', "("])
    assert.equal(
      (await okta.ask("GET", `/Users?filter=${encodeURIComponent(filter)}`)).body.scimType,
      "invalidFilter",
      filter,
    );
  assert.equal((await okta.ask("GET", "/Users?count=many")).status, 400);
  assert.equal((await okta.ask("POST", "/Users", "{")).body.scimType, "invalidSyntax");
  assert.equal((await okta.ask("POST", "/Users", `"${"x".repeat(limits.scimBody_bytes)}"`)).status, 413);
  assert.deepEqual((await okta.ask("GET", users)).body, second);
  assert.equal((await okta.ask("GET", `/Users/${id}x`)).status, 404);
  assert.deepEqual(await found('userName eq "third"'), []);
});

test("who is deleted is gone for good, and the name is nobody's again", async () => {
  const { id } = await make("leaver@corp.example", { emails: [{ value: "leaver@corp.example" }] });
  const gone = await okta.ask("DELETE", `/Users/${id}`);
  assert.deepEqual([gone.status, gone.body], [204, undefined]);
  for (const method of ["GET", "DELETE"]) assert.equal((await okta.ask(method, `/Users/${id}`)).status, 404);
  assert.deepEqual(await found('userName eq "leaver@corp.example"'), []);
  assert.deepEqual(await found('emails.value eq "leaver@corp.example"'), []);
  const again = await okta.ask("POST", "/Users", { userName: "leaver@corp.example" });
  assert.deepEqual([again.status, again.body.scimType], [409, "uniqueness"]);
  assert.match(again.body.detail, /ended for good/);
  assert.equal((await whoIs("@leaver:localhost")).source, "scim");
});

test("operators, programs and what an operator has suspended are not the directory's", async () => {
  await makeOperator(server, "overseer", "auditor");
  const [operator] = await found('userName eq "overseer"');
  for (const answer of [
    await okta.ask("PATCH", `/Users/${operator.id}`, patch({ op: "replace", value: { active: false } })),
    await okta.ask("PUT", `/Users/${operator.id}`, { userName: "overseer", externalId: "o1" }),
    await okta.ask("DELETE", `/Users/${operator.id}`),
  ]) {
    assert.equal(answer.status, 403);
    assert.match(answer.body.detail, /operator/);
  }
  assert.equal((await whoIs("@overseer:localhost")).status, "active");

  await root.call("POST", `${ADMIN}/bots`, { username: "helper", owner: root.userId, purpose: "a test" });
  assert.deepEqual(await found('userName eq "helper"'), []);

  const { id } = await make("trouble");
  await root.call("POST", `${ADMIN}/users/@trouble:localhost/suspend`, { reason });
  const stays = await okta.ask("PATCH", `/Users/${id}`, patch({ op: "replace", value: { active: true } }));
  assert.deepEqual([stays.status, stays.body.active], [200, false]);
  await okta.ask("PATCH", `/Users/${id}`, patch({ op: "replace", value: { active: false } }));
  await root.call("POST", `${ADMIN}/users/@trouble:localhost/unsuspend`, { reason });
  assert.equal((await okta.ask("GET", `/Users/${id}`)).body.active, true);
});

test("each act is in the audit log under the token's name, once, and without what was sent", async () => {
  const { id } = await make("audited", { displayName: "A secret name", emails: [{ value: "audited@corp.example" }] });
  const body = patch({ op: "Replace", path: "displayName", value: "Another secret name" });
  await entra.ask("PATCH", `/Users/${id}`, body);
  await entra.ask("PATCH", `/Users/${id}`, body);
  await entra.ask("DELETE", `/Users/${id}`);
  const { items } = await root.call("GET", `${ADMIN}/audit?target=@audited:localhost`);
  assert.deepEqual(
    items.map(({ actor, via, action, outcome }: Json) => `${actor} ${via} ${action} ${outcome}`),
    [
      "scim:Entra scim provisioning.remove done",
      "scim:Entra scim provisioning.change done",
      "scim:Okta scim provisioning.create done",
    ],
  );
  assert.ok(items.every((each: Json) => each.begun !== null));
  assert.equal(JSON.stringify(items).includes("secret name"), false);
});

test("somebody who is made inactive can not sign in", async () => {
  await make("sleeper", { active: false });
  assert.equal((await whoIs("@sleeper:localhost")).status, "suspended");
});
