/** What the operators' console says has to be written for a provider of single sign-on, in a cluster: read by what would read it there. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";
import { draftShape, providerOf, readSso } from "../../server/src/auth/sso/config.ts";
import { placesOf } from "../../server/src/auth/sso/places.ts";
import { mounts } from "../src/release.ts";
import { renderChart } from "./chart.ts";
import { environmentOf, podsIn } from "./invariants/objects.ts";
import { type KubernetesObject, schemaProblems } from "./schema.ts";
import { missingTools as skip } from "./tools.ts";

const SECRET = `"it's a {{ secret }} \\ of $HOME"`;

const plain = { id: "corp", name: "Example Inc.", issuer: "https://sso.example.org/realms/a", client_id: "parley" };
const rich = {
  ...plain,
  id: "a~b.c_d-e",
  name: `Ana's "{{ corner }}": # $HOME`,
  client_secret: SECRET,
  attributes: { display_name: "{given_name} {family_name}" },
};

interface Manifest extends KubernetesObject {
  spec: {
    target: { template: { data: { PARLEY_SSO_PROVIDERS: string } } };
    data?: { secretKey: string; remoteRef: { key: string } }[];
  };
}

test("the External Secret is one by its schema, and its template gives the list with the secret in it", async () => {
  for (const given of [plain, rich]) {
    const draft = draftShape.parse(given);
    const manifest = parse(placesOf(draft, { isFirst: true }).external_secret) as Manifest;
    assert.deepEqual(await schemaProblems(manifest), []);
    const { target, data = [] } = manifest.spec;
    const filled = target.template.data.PARLEY_SSO_PROVIDERS.replaceAll(/\{\{(.*?)\}\}/g, (_, action: string) => {
      assert.equal(action.trim(), `index . "${data[0]?.secretKey}" | toJson`, "there is no other action in it");
      return JSON.stringify(SECRET);
    });
    assert.deepEqual(readSso({ PARLEY_SSO_PROVIDERS: filled }).providers, [providerOf(draft)]);
    const kept = given === plain ? [] : [{ secretKey: "sso-a-b.c_d-e", remoteRef: { key: "parley/sso-a-b.c_d-e" } }];
    assert.deepEqual(data, kept);
  }
});

test("of a provider beside others it is what goes into the list and the data that are there", () => {
  const lines = placesOf(draftShape.parse(rich), { isFirst: false }).external_secret.split("\n");
  assert.match(lines[1] ?? "", /^\{"id":.*"client_secret":\{\{ index \. "sso-a-b\.c_d-e" \| toJson \}\}\}$/);
  assert.deepEqual(parse(lines.slice(2).join("\n")), [
    { secretKey: "sso-a-b.c_d-e", remoteRef: { key: "parley/sso-a-b.c_d-e" } },
  ]);
});

test("the values give each pod that has to know the providers a file with the list", { skip }, async () => {
  const values = parse(placesOf(draftShape.parse(rich), { isFirst: true }).helm_values) as {
    externalSecrets: { api: { data: Record<string, string> } };
  };
  const set = Object.entries(values.externalSecrets.api.data).map(
    ([name, key]) => `externalSecrets.api.data.${name}=${key}`,
  );
  const objects = await renderChart("split", set);
  const path = `file://${mounts.secrets}/PARLEY_SSO_PROVIDERS`;
  const knowing = podsIn(objects).filter(({ spec: { containers } }) =>
    containers.some((each) => environmentOf(each, objects).get("PARLEY_SSO_PROVIDERS") === path),
  );
  assert.deepEqual(
    ["auth", "web"].map((role) => knowing.some(({ title }) => title.endsWith(`-${role}`))),
    [true, true],
    knowing.map(({ title }) => title).join(),
  );
});
