/** What stops a start, and what it says; and what of claims counts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfig } from "../../config.ts";
import { type SsoProvider, readSso } from "./config.ts";
import { identityOf, suggestedName, whyNot } from "./identity.ts";

const SECRET = "hunter2hunter2";
const good = {
  id: "kc",
  name: "Keycloak",
  issuer: "https://sso.example.org/realms/a",
  client_id: "parley",
  client_secret: SECRET,
};

const read = (list: unknown, more: Record<string, string> = {}) =>
  readConfig({ PARLEY_SSO_PROVIDERS: typeof list === "string" ? list : JSON.stringify(list), ...more }).sso;

test("without the setting there are no providers, and with it what it leaves out has a value", () => {
  assert.deepEqual(readConfig({}).sso.providers, []);
  const [provider] = read([good]).providers;
  assert.deepEqual(provider?.scopes, ["profile", "email"]);
  assert.deepEqual(provider?.attributes, { localpart: "preferred_username", display_name: "name", email: "email" });
  assert.deepEqual(
    [provider?.new_accounts, provider?.link_by_verified_email, provider?.trust_email],
    [true, false, false],
  );
});

test("a list that is wrong stops the start with the place and the fix, and tells no secret", () => {
  const wrong: readonly [list: unknown, about: RegExp][] = [
    [`[{"client_secret":"${SECRET}"`, /is not valid: it is no JSON/],
    [good, /it is not right/],
    [[{ ...good, issuer: undefined }], /provider 1, issuer/],
    [[good, { ...good, id: "a/b" }], /provider 2, id .*characters a-z/],
    [[good, good], /two providers have the id kc/],
    [[{ ...good, issuer: "http://sso.example.org" }], /the issuer of the provider kc is "http:\/\/sso\.example\.org"/],
    [[{ ...good, issuer: "nowhere" }], /the issuer of the provider kc/],
    [[{ ...good, secret: SECRET }], /Unrecognized key/],
    [[{ ...good, icon: "https://example.org/a.png" }], /icon .*mxc/],
    [[{ ...good, hosts: "a b" }], /hosts of the provider kc/],
    [[{ ...good, parameters: { state: "x" } }], /parameters of the provider kc has state/],
    [[{ ...good, client_secret: "secret://kc" }], /client_secret of the provider kc is a secret:/],
    [[{ ...good, email_domains: ["example"] }], /email_domains/],
  ];
  for (const [list, about] of wrong)
    assert.throws(
      () => read(list),
      ({ message }: Error) =>
        message.startsWith("PARLEY_SSO_PROVIDERS is not valid") && about.test(message) && !message.includes(SECRET),
      String(about),
    );
});

test("clients to which people are sent back are addresses", () => {
  assert.deepEqual(readSso({ PARLEY_SSO_CLIENTS: "https://a.example/x/, http://localhost:3000" }).clients.map(String), [
    "https://a.example/x/",
    "http://localhost:3000/",
  ]);
  for (const value of ["javascript:alert(1)", "app.example.org", "https://a@b.example/", "https://a.example/?x"])
    assert.throws(() => readSso({ PARLEY_SSO_CLIENTS: value }), /PARLEY_SSO_CLIENTS is .*set it to addresses/, value);
});

test("secrets may stand in files, and by name where there is a provider of secrets", () => {
  const file = [{ ...good, client_secret: "file:///run/secrets/kc" }];
  assert.equal(read(file).providers[0]?.clientSecret, "file:///run/secrets/kc");
  const named = [{ ...good, client_secret: "secret://kc" }];
  const provider = read(named, { SECRETS_PROVIDER: "env" }).providers[0] as SsoProvider;
  assert.equal(provider.clientSecret, "secret://kc");
});

const identity = (claims: Record<string, unknown>, more: object = {}) => {
  const [provider] = read([{ ...good, ...more }]).providers as [SsoProvider];
  const token = { iss: good.issuer, sub: "1", aud: "parley", iat: 0, exp: 0 };
  const made = identityOf(provider, token, claims);
  return { ...made, why: whyNot(provider, made, claims) };
};

test("the mapping makes a user name, a name and an address of claims", () => {
  const attributes = { localpart: "upn", display_name: "{given} {family}", email: "mail" };
  const made = identity(
    { upn: "Ana@corp.example", given: "Ana", family: "Ruiz", mail: "Ana@Example.org" },
    { attributes },
  );
  assert.deepEqual(
    [made.localpart, made.displayName, made.email, made.isEmailVerified],
    ["ana", "Ana Ruiz", "ana@example.org", false],
  );
  assert.equal(identity({ given: "Ana" }, { attributes }).displayName, undefined, "a claim is missing");
  assert.equal(identity({ email: "a@b.example" }, { trust_email: true }).isEmailVerified, true);
  assert.equal(identity({ email: "a@b.example", email_verified: "true" }).isEmailVerified, false, "a text is no yes");
  assert.equal(identity({ preferred_username: { a: 1 }, name: ["x"], email: "no address" }).localpart, undefined);
});

test("a name that can be one is made of what is none", () => {
  assert.deepEqual(["žofie nová", "_admin", "ÄÖÜ", undefined, "a".repeat(200)].map(suggestedName), [
    "zofie-nova",
    "admin",
    "",
    "",
    "a".repeat(100),
  ]);
});

test("a claim that is asked for is there, or in a list", () => {
  const wants = { require_claims: { groups: "staff", hd: "example.org" } };
  assert.equal(identity({ groups: ["all", "staff"], hd: "example.org" }, wants).why, undefined);
  for (const claims of [{}, { groups: "staffed", hd: "example.org" }, { groups: ["staff"] }])
    assert.match(identity(claims, wants).why ?? "", /not among those/);
});
