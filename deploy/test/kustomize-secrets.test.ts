/** Where Secrets come from: made in the cluster, tried against a server that answers as an API server does, or given by whoever installs. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { certificate } from "./certificate.ts";
import type { Container, Workload } from "./executed-manifests.ts";
import { installations, objectsOf } from "./kustomizations.ts";
import type { KubernetesObject } from "./schema.ts";
import { missingTools, readObjects, render, repoRoot, run } from "./tools.ts";

const skip = missingTools;
const withCredentials = ["minikube", "telegram", "irc"];
let folder: string;

before(() => (folder = mkdtempSync(join(tmpdir(), "parley-kustomize-"))));
after(() => rmSync(folder, { recursive: true, force: true }));

type Plan = Record<string, Record<string, string | null>>;

async function planOf(name: string): Promise<Plan> {
  const job = (await objectsOf(name)).find(({ kind, metadata }) => kind === "Job" && metadata.name === "credentials");
  const [container] = (job as Workload).spec.template.spec.containers as [Container];
  return JSON.parse(container.env?.find((each) => each.name === "SECRETS")?.value ?? "{}") as Plan;
}

/** Each Secret and key that the pods of an installation need. */
function neededKeys(objects: readonly KubernetesObject[]): Set<string> {
  const needed = new Set<string>();
  const look = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    const { secretKeyRef, secretName, items } = value as {
      secretKeyRef?: { name: string; key: string };
      secretName?: string;
      items?: { key: string }[];
    };
    if (secretKeyRef) needed.add(`${secretKeyRef.name}/${secretKeyRef.key}`);
    if (secretName) for (const { key } of items ?? [{ key: "*" }]) needed.add(`${secretName}/${key}`);
    for (const each of Object.values(value)) look(each);
  };
  for (const { kind, spec } of objects) if (kind !== "Ingress") look(spec);
  return needed;
}

test("the Secrets that are made are those that pods ask for, key for key", { skip }, async () => {
  for (const name of withCredentials) {
    const made = Object.entries(await planOf(name)).flatMap(([secret, keys]) =>
      Object.keys(keys).map((key) => `${secret}/${key}`),
    );
    // A password by itself may be there for people.
    const missing = [...neededKeys(await objectsOf(name))].filter((each) => !made.includes(each));
    assert.deepEqual(missing, [], name);
  }
});

test("nothing that is applied is a Secret, or has a password in it", { skip }, async () => {
  for (const name of Object.keys(installations)) {
    const objects = await objectsOf(name);
    assert.deepEqual(
      objects.filter(({ kind }) => kind === "Secret"),
      [],
      name,
    );
    // With a user and a password in it, unless that is a place for one.
    assert.doesNotMatch(JSON.stringify(objects), /:\/\/[^/"{$]*:[^{$/"][^/"]*@/, name);
  }
});

interface Asked {
  method: string | undefined;
  url: string | undefined;
  authorization: string | undefined;
  secret: { metadata: { name: string }; stringData: Record<string, string> };
}

/** An API server that lets a Secret be created once. */
async function startApi(refuseWith?: number) {
  const { key, cert } = certificate(folder);
  const asked: Asked[] = [];
  const server = createServer({ key, cert }, (request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      const secret = JSON.parse(text) as Asked["secret"];
      const isThere = asked.some((each) => each.secret.metadata.name === secret.metadata.name);
      const { method, url, headers } = request;
      asked.push({ method, url, authorization: headers.authorization, secret });
      response.writeHead(refuseWith ?? (isThere ? 409 : 201)).end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    asked,
    port,
    cert,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

/** Runs the script as its container does; gives its exit code and what it said. */
async function runScript(plan: Plan, { port, cert }: { port: number; cert: string }) {
  const files = mkdtempSync(join(folder, "kubernetes-"));
  writeFileSync(join(files, "token"), "of-the-pod\n");
  writeFileSync(join(files, "namespace"), "parley");
  writeFileSync(join(files, "ca.crt"), cert);
  const script = join(repoRoot, "deploy/kustomize/base/credentials/credentials.mjs");
  const child = spawn(process.execPath, [script], {
    env: {
      CREDENTIALS_FOLDER: files,
      NODE_EXTRA_CA_CERTS: join(files, "ca.crt"),
      KUBERNETES_SERVICE_HOST: "127.0.0.1",
      KUBERNETES_SERVICE_PORT: String(port),
      SECRETS: JSON.stringify(plan),
    },
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, said };
}

test("passwords are made once, are in the addresses that need them, and are told to nobody", { skip }, async () => {
  await using api = await startApi();
  const plan = await planOf("telegram");
  const first = await runScript(plan, api);
  assert.deepEqual([first.code, api.asked.length], [0, 3], first.said);
  for (const { method, url, authorization } of api.asked)
    assert.deepEqual([method, url, authorization], ["POST", "/api/v1/namespaces/parley/secrets", "Bearer of-the-pod"]);
  const made = Object.fromEntries(api.asked.map(({ secret }) => [secret.metadata.name, secret.stringData]));
  const postgres = made["postgres-credentials"] as Record<string, string>;
  assert.match(postgres["password"] as string, /^[0-9a-f]{48}$/);
  assert.equal(postgres["DATABASE_URL"], `postgres://parley:${postgres["password"]}@postgres:5432/parley`);
  assert.notEqual(postgres["password"], postgres["owner-password"]);
  const redis = made["redis-credentials"] as Record<string, string>;
  assert.match(redis["redis.conf"] as string, new RegExp(`\nrequirepass ${redis["password"]}\n`));
  assert.match(redis["redis.conf"] as string, /\nappendonly yes\n/);
  const secrets = Object.values(made).flatMap((each) => Object.values(each));
  assert.ok(secrets.every((each) => !first.said.includes(each) && !each.includes("{")));
  const second = await runScript(plan, api);
  assert.equal(second.code, 0);
  assert.match(second.said, /postgres-credentials is there and stays as it is/);
});

test("an API server that refuses fails the Job, which says why and not what", { skip }, async () => {
  await using api = await startApi(403);
  const { code, said } = await runScript(await planOf("minikube"), api);
  assert.equal(code, 1);
  assert.match(said, /postgres-credentials could not be created: the API server answers 403/);
  assert.doesNotMatch(said, /[0-9a-f]{48}/);
});

test("the account of the Job may create Secrets and no more, and its token is the only one", { skip }, async () => {
  for (const name of withCredentials) {
    const objects = await objectsOf(name);
    const roles = objects.filter(({ kind }) => kind.endsWith("Role"));
    assert.deepEqual(
      roles.map(({ rules }) => rules),
      [[{ apiGroups: [""], resources: ["secrets"], verbs: ["create"] }]],
    );
    const withToken = objects.filter((each) => JSON.stringify(each).includes("serviceAccountToken"));
    assert.deepEqual(
      withToken.map(({ metadata }) => metadata.name),
      ["credentials"],
    );
  }
});

/** A copy of deploy/kustomize in which a file is another. */
async function renderChanged(file: string, change: (text: string) => string): Promise<KubernetesObject[]> {
  const copy = mkdtempSync(join(folder, "copy-"));
  cpSync(join(repoRoot, "deploy/kustomize"), copy, { recursive: true });
  const path = join(copy, file);
  const text = readFileSync(path, "utf8");
  assert.notEqual(change(text), text);
  writeFileSync(path, change(text));
  return render("kubectl", ["kustomize", join(copy, "overlays/minikube")]);
}

const podsOf = (objects: readonly KubernetesObject[]) =>
  new Map(
    objects
      .filter(({ kind }) => ["Deployment", "StatefulSet", "Job"].includes(kind))
      .map((each) => [each.metadata.name, JSON.stringify((each as Workload).spec.template)]),
  );

test("a change of a part's settings rolls the pods of that part alone", { skip }, async () => {
  const before_ = podsOf(await objectsOf("minikube"));
  const changed = podsOf(
    await renderChanged("overlays/minikube-auth/kustomization.yaml", (text) =>
      text.replace("PARLEY_REGISTRATION=token", "PARLEY_REGISTRATION=off"),
    ),
  );
  assert.deepEqual(
    [...changed].filter(([name, pod]) => pod !== before_.get(name)).map(([name]) => name),
    ["auth"],
  );
});

test("a change of what all have in common rolls every pod of the server", { skip }, async () => {
  const before_ = podsOf(await objectsOf("minikube"));
  const changed = podsOf(
    await renderChanged("components/minikube-settings/settings.yaml", (text) =>
      text.replace("value: localhost", "value: chat.test"),
    ),
  );
  const rolled = [...changed].filter(([name, pod]) => pod !== before_.get(name)).map(([name]) => name);
  assert.deepEqual(rolled.toSorted(), ["auth", "gateway", "keys", "media", "messages", "presence", "web", "worker"]);
});

/** The block of the page that shows a file of this name. */
function fileInPage(name: string): string {
  const page = readFileSync(join(repoRoot, "docs/operations/kubernetes.md"), "utf8");
  const found = new RegExp(`<!-- ${name.replaceAll(".", "\\.")} -->\n\`\`\`\\w*\n([^]*?)\`\`\``).exec(page);
  assert.ok(found, `docs/operations/kubernetes.md shows no ${name}`);
  return found[1] as string;
}

test(
  "an overlay with secrets and settings of one's own renders as the page shows it, and a new secret rolls the pods",
  { skip },
  async () => {
    const site = join(folder, "own");
    mkdirSync(site);
    cpSync(join(repoRoot, "deploy/kustomize"), join(folder, "kustomize"), { recursive: true });
    const text = fileInPage("kustomization.yaml").replaceAll(
      /https:\/\/github.com\S+deploy\/kustomize\/(\S+?)\?\S+/g,
      "../kustomize/$1",
    );
    writeFileSync(join(site, "kustomization.yaml"), text);
    const renderWith = async (password: string) => {
      writeFileSync(join(site, "postgres.env"), fileInPage("postgres.env").replaceAll("…", password));
      const { output, errors, isGood } = await run("kubectl", ["kustomize", site]);
      assert.ok(isGood, errors);
      return readObjects(output);
    };
    const objects = await renderWith("one");
    assert.equal(
      objects.some(({ kind, metadata }) => kind === "Job" && metadata.name === "credentials"),
      false,
    );
    assert.match(
      JSON.stringify(objects.find(({ kind, metadata }) => kind === "Deployment" && metadata.name === "auth")),
      /chat\.example\.org/,
    );
    const secret = objects.find(({ kind }) => kind === "Secret");
    assert.match(secret?.metadata.name ?? "", /^postgres-credentials-[a-z0-9]{10}$/);
    const [first, second] = [podsOf(objects), podsOf(await renderWith("two"))];
    assert.equal(
      [...first].filter(([name, pod]) => pod === second.get(name)).length,
      0,
      "every pod that connects is new",
    );
  },
);
