import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyOf, FIELDS, idFault, idFrom, issuerFault, withSecret } from "./drafting.ts";

test("a name suggests an id that may be one, and one that may not be is told so", () => {
  for (const [name, id] of [
    ["Example Inc.", "example-inc"],
    ["Größe & Söhne", "gro-e-sohne"],
    ["…", ""],
  ] as const)
    assert.equal(idFrom(name), id);
  assert.deepEqual([idFault("", []), idFault("a.b_c~d-e", ["corp"])], [undefined, undefined]);
  assert.match(idFault("A b", []) ?? "", /characters a-z/);
  assert.match(idFault("corp", ["corp"]) ?? "", /already/);
});

test("an issuer is an address, and nobody is told so while they type it", () => {
  for (const right of ["", "h", "https:/", "https://sso.example.org/a", "http://localhost:8080"])
    assert.equal(issuerFault(right), undefined, right);
  for (const wrong of ["sso.example.org", "ftp://a", "https://a b"]) assert.ok(issuerFault(wrong), wrong);
});

test("what was left empty is not sent", () => {
  const needed = { name: "Example", id: "corp", issuer: " https://sso.example.org ", client_id: "parley" };
  assert.deepEqual(bodyOf({ ...FIELDS, ...needed }), { ...needed, issuer: "https://sso.example.org" });
  const more = { client_secret: "s", localpart: "upn", new_accounts: "no", email_domains: "a.example, b.example\n" };
  assert.deepEqual(bodyOf({ ...FIELDS, ...needed, ...more }), {
    ...needed,
    issuer: "https://sso.example.org",
    client_secret: "s",
    attributes: { localpart: "upn" },
    new_accounts: false,
    email_domains: ["a.example", "b.example"],
  });
});

test("the secret comes into what is stored as it is, whatever is in it", () => {
  const secret = `$& "quoted" \\ $1`;
  const stored = `[{"name":"THE CLIENT SECRET","client_secret":"THE CLIENT SECRET"}]`;
  assert.deepEqual(JSON.parse(withSecret(stored, secret)), [{ name: "THE CLIENT SECRET", client_secret: secret }]);
});
