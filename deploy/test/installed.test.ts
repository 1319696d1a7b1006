/** The chart installed, upgraded, rolled back and uninstalled by helm, on something that keeps objects as an API server does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type ApiServer, startApiServer } from "./api-server.ts";
import { chartPath, valuesFiles } from "./chart.ts";
import { missingTools, type Outcome, run } from "./tools.ts";

const skip = missingTools;

function helm(server: ApiServer, args: readonly string[]): Promise<Outcome> {
  return run("helm", [...args, "--namespace", "parley", "--kube-apiserver", server.url]);
}

async function installed(server: ApiServer, verb: "install" | "upgrade", set: readonly string[] = []): Promise<void> {
  const values = ["--values", valuesFiles.get("minimal") as string, ...set.flatMap((each) => ["--set", each])];
  const { isGood, errors } = await helm(server, [verb, "parley", chartPath, ...values, "--disable-openapi-validation"]);
  assert.ok(isGood, errors);
}

function passwordIn({ objects }: ApiServer): string | undefined {
  const { data } = (objects.get("Secret parley-postgresql") ?? {}) as { data?: Record<string, string> };
  return data && Buffer.from(data["DATABASE_URL"] ?? "", "base64").toString();
}

function names({ objects }: ApiServer, kind: string): string[] {
  return [...objects.values()].filter((each) => each.kind === kind).map(({ metadata }) => metadata.name);
}

test("an upgrade keeps the password of the database, and replaces the migration", { skip }, async () => {
  await using server = await startApiServer();
  await installed(server, "install");
  const password = passwordIn(server);
  assert.match(password ?? "", /^postgres:\/\/parley:[A-Za-z0-9]{32}@parley-postgresql:5432\/parley$/);
  const [job] = names(server, "Job");
  await installed(server, "upgrade", ["logLevel=debug"]);
  assert.deepEqual(names(server, "Job"), [job], "what has not changed is left as it is");
  await installed(server, "upgrade", ["api.image=registry.example.org/parley:0.2.0"]);
  assert.equal(passwordIn(server), password);
  const [next, ...others] = names(server, "Job");
  assert.notEqual(next, job);
  assert.deepEqual(others, []);
});

test(
  "another password in the values is refused with the fix, and the one that the database has is not",
  { skip },
  async () => {
    await using server = await startApiServer();
    await installed(server, "install", ["postgresql.password=first"]);
    await installed(server, "upgrade", ["postgresql.password=first"]);
    await installed(server, "upgrade");
    assert.match(passwordIn(server) ?? "", /:first@/);
    const values = ["--values", valuesFiles.get("minimal") as string, "--set", "postgresql.password=second"];
    const { isGood, errors } = await helm(server, ["upgrade", "parley", chartPath, ...values]);
    assert.equal(isGood, false);
    assert.match(
      errors,
      /postgresql.password is another one than that of the Secret parley-postgresql, .*Leave .* out, or/,
    );
    assert.doesNotMatch(errors, /first|second/);
  },
);

test("what a claim is made of stays, or is refused with the fix", { skip }, async () => {
  await using server = await startApiServer();
  await installed(server, "install", ["media.accessMode=ReadWriteOnce"]);
  await installed(server, "upgrade", ["postgresql.size=20Gi", "postgresql.storageClass=fast", "media.size=30Gi"]);
  const values = ["--values", valuesFiles.get("minimal") as string, "--disable-openapi-validation"];
  const upgrade = ["upgrade", "parley", chartPath, ...values];
  const larger = await helm(server, [...upgrade, "--set", "postgresql.size=20Gi"]);
  assert.match(larger.output, /stays as it was made \(10Gi\)[^]*patch pvc data-parley-postgresql-0 [^]*"20Gi"/);
  const shared = await helm(server, [...upgrade, "--set", "media.accessMode=ReadWriteMany"]);
  assert.equal(shared.isGood, false);
  assert.match(
    shared.errors,
    /media.accessMode is ReadWriteMany, and the claim parley-media was made with ReadWriteOnce/,
  );
  const without = await helm(server, [
    ...upgrade,
    "--set",
    "media.accessMode=ReadWriteMany,media.existingClaim=shared",
  ]);
  assert.ok(without.isGood, without.errors);
});

test("an upgrade goes back, and what was kept stays when the release goes", { skip }, async () => {
  await using server = await startApiServer();
  await installed(server, "install");
  const password = passwordIn(server);
  const [job] = names(server, "Job");
  await installed(server, "upgrade", ["api.image=registry.example.org/parley:0.2.0"]);
  const back = await helm(server, ["rollback", "parley", "1"]);
  assert.ok(back.isGood, back.errors);
  assert.deepEqual(names(server, "Job"), [job]);
  assert.equal(passwordIn(server), password);
  const gone = await helm(server, ["uninstall", "parley"]);
  assert.ok(gone.isGood, gone.errors);
  const left = [...server.objects.keys()].filter((each) => !each.startsWith("Namespace"));
  assert.deepEqual(left.toSorted(), ["PersistentVolumeClaim parley-media", "Secret parley-postgresql"]);
  await installed(server, "install");
  assert.equal(passwordIn(server), password, "a new release finds the data and its password");
});

test("what can not be changed is refused, as an API server does", async () => {
  await using server = await startApiServer();
  const post = (method: string, spec: object) =>
    fetch(`${server.url}/apis/batch/v1/namespaces/parley/jobs${method === "POST" ? "" : "/it"}`, {
      method,
      body: JSON.stringify({ apiVersion: "batch/v1", kind: "Job", metadata: { name: "it" }, spec }),
    });
  const template = (image: string) => ({ spec: { restartPolicy: "Never", containers: [{ name: "it", image }] } });
  assert.equal((await post("POST", { template: template("a:1") })).status, 201);
  assert.equal((await post("POST", { template: template("a:1") })).status, 409);
  assert.equal((await post("PATCH", { template: template("a:1"), suspend: true })).status, 200);
  assert.equal((await post("PATCH", { template: template("a:2") })).status, 422);
  assert.equal((await post("PATCH", { template: template("a:1"), unheard: 1 })).status, 422);
});

/** As `kubectl patch secret` does it, at the end of a rotation (docs/operations/helm.md, Rotate). */
async function rotated(server: ApiServer, password: string): Promise<void> {
  const data = { ...(server.objects.get("Secret parley-postgresql") as { data?: Record<string, string> }).data };
  const url = `postgres://parley:${password}@parley-postgresql:5432/parley`;
  for (const [key, value] of Object.entries({ password, DATABASE_URL: url })) data[key] = btoa(value);
  const body = JSON.stringify({ data });
  const { status } = await fetch(`${server.url}/api/v1/namespaces/parley/secrets/parley-postgresql`, {
    method: "PATCH",
    body,
  });
  assert.equal(status, 200);
}

test(
  "after a rotation and an upgrade a roll-back keeps the password, and one to a revision of before does not",
  { skip },
  async () => {
    await using server = await startApiServer();
    await installed(server, "install");
    const first = passwordIn(server);
    await rotated(server, "rotated");
    await installed(server, "upgrade");
    await installed(server, "upgrade", ["api.image=registry.example.org/parley:0.2.0"]);
    const back = await helm(server, ["rollback", "parley"]);
    assert.ok(back.isGood, back.errors);
    assert.match(passwordIn(server) ?? "", /:rotated@/);
    // What the page warns of: revisions have the Secret as it was.
    await helm(server, ["rollback", "parley", "1"]);
    assert.equal(passwordIn(server), first);
  },
);
