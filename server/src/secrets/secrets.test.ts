/** The providers, each with a server that speaks its protocol and checks who asks. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { startEntra, startGoogleTokens } from "../../../testkit/src/clouds/identities.ts";
import {
  type SecretManager,
  startAwsSecrets,
  startGoogleSecrets,
  startInfisical,
  startKeyVault,
  startVault,
} from "../../../testkit/src/clouds/secret-managers.ts";
import type { Cloud } from "../../../testkit/src/clouds/serve.ts";
import { soonFound } from "../../../testkit/src/wait.ts";
import { readConfig } from "../config.ts";
import { realSeams, type Seams } from "../seams.ts";
import { conform, type Keeper } from "./conformance.ts";
import { openSecrets } from "./open.ts";

const folder = mkdtempSync(join(tmpdir(), "parley-secrets-"));
const ends: AsyncDisposable[] = [];
after(async () => {
  for (const end of ends) await end[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const LOOK_MS = 20;
/** Looks often, and tries again at once. */
const seams: Seams = {
  ...realSeams,
  every: (_every_ms, action) => realSeams.every(LOOK_MS, action),
  after: (ms, action) => realSeams.after(ms > 11_000 ? ms : 0, action),
};

function opener(env: Record<string, string>): Keeper["open"] {
  const { provider, refresh_ms } = readConfig(env).secrets;
  assert.ok(provider);
  return () => openSecrets({ provider, refresh_ms, seams, logger: { warn: () => {} } });
}

function use<T extends AsyncDisposable>(started: T): T {
  ends.push(started);
  return started;
}

function once<T>(start: () => Promise<T>): () => Promise<T> {
  let started: Promise<T> | undefined;
  return () => (started ??= start());
}

function keeperOf(manager: SecretManager, env: Record<string, string>, separator = "/"): Keeper {
  return {
    open: opener(env),
    name: (word) => `prod${separator}${word}`,
    async set(name, value) {
      if (value === undefined) manager.secrets.delete(name);
      else manager.secrets.set(name, value);
    },
    fail: (how) => failing(manager, how),
    ...(manager.signOutAll ? { signOutAll: manager.signOutAll } : {}),
  };
}

function failing(cloud: Cloud, how: "busy" | "refused" | "cut" | undefined): void {
  cloud.behave();
  if (how === "cut") cloud.plan({ times: 2, manner: "cut" });
  if (how === "busy") {
    cloud.plan({ times: 1, manner: { status: 429, headers: { "retry-after": "1" } } });
    cloud.plan({ times: 2, manner: { status: 503 } });
  }
  if (how === "refused") cloud.plan({ times: 1_000, manner: { status: 403, body: "{}" } });
}

conform({
  name: "env",
  offers: [],
  keeper: once(async () => {
    const env: Record<string, string> = {};
    const provider = { provider: "env", variable: (name: string) => env[name] } as const;
    return {
      open: () => openSecrets({ provider, refresh_ms: 60_000, seams, logger: { warn: () => {} } }),
      name: (word) => `PROD_${word.toUpperCase()}`,
      set: async (name, value) => void (value === undefined ? delete env[name] : (env[name] = value)),
    };
  }),
});

conform({
  name: "files",
  offers: ["changes"],
  keeper: once(async () => {
    const place = join(folder, "files");
    mkdirSync(place);
    const path = (name: string) => join(place, name);
    return {
      open: opener({ SECRETS_PROVIDER: "files", SECRETS_DIR: place }),
      name: (word) => word,
      set: (name, value) => (value === undefined ? rm(path(name)) : writeFile(path(name), value)),
    };
  }),
});

conform({
  name: "aws_sm",
  offers: ["changes", "failures"],
  keeper: once(async () => {
    const aws = use(await startAwsSecrets());
    // The SDK finds these by itself, as it finds the identity of a pod.
    process.env["AWS_ACCESS_KEY_ID"] = aws.keys.accessKeyId;
    process.env["AWS_SECRET_ACCESS_KEY"] = aws.keys.secretAccessKey;
    return keeperOf(aws, { SECRETS_PROVIDER: "aws_sm", AWS_SM_ENDPOINT: aws.url });
  }),
});

conform({
  name: "azure_kv",
  offers: ["changes", "failures", "sessions"],
  keeper: once(async () => {
    const entra = use(await startEntra());
    const vault = use(await startKeyVault(entra));
    const env = {
      SECRETS_PROVIDER: "azure_kv",
      AZURE_KEY_VAULT_URL: vault.url,
      AZURE_TENANT_ID: entra.tenantId,
      AZURE_CLIENT_ID: entra.clientId,
      AZURE_CLIENT_SECRET: entra.clientSecret,
      AZURE_AUTHORITY_HOST: entra.url,
    };
    return keeperOf(vault, env, "-");
  }),
});

conform({
  name: "gcp_sm",
  offers: ["changes", "failures"],
  keeper: once(async () => {
    const google = use(await startGoogleTokens());
    const manager = use(await startGoogleSecrets("parley-prod", google.isToken));
    const env = {
      SECRETS_PROVIDER: "gcp_sm",
      GCP_PROJECT_ID: "parley-prod",
      GCP_SM_ENDPOINT: manager.url,
      GOOGLE_APPLICATION_CREDENTIALS: google.keyFile,
    };
    return keeperOf(manager, env, "-");
  }),
});

conform({
  name: "vault, by the pod's account",
  offers: ["changes", "failures", "sessions"],
  keeper: once(async () => {
    const vault = use(await startVault());
    return keeperOf(vault, {
      SECRETS_PROVIDER: "vault",
      VAULT_ADDR: vault.url,
      VAULT_ROLE: vault.role,
      VAULT_KUBERNETES_TOKEN_FILE: vault.tokenFile,
    });
  }),
});

conform({
  name: "vault, by a token",
  offers: ["changes", "failures"],
  keeper: once(async () => {
    const vault = use(await startVault());
    const tokenFile = join(folder, "vault-token");
    writeFileSync(tokenFile, vault.token);
    const env = { SECRETS_PROVIDER: "vault", VAULT_ADDR: vault.url, VAULT_TOKEN: `file://${tokenFile}` };
    return keeperOf(vault, env);
  }),
});

conform({
  name: "infisical",
  offers: ["changes", "failures", "sessions"],
  keeper: once(async () => {
    const infisical = use(await startInfisical());
    return keeperOf(infisical, {
      SECRETS_PROVIDER: "infisical",
      INFISICAL_URL: infisical.url,
      INFISICAL_PROJECT_ID: infisical.projectId,
      INFISICAL_CLIENT_ID: infisical.clientId,
      INFISICAL_CLIENT_SECRET: infisical.clientSecret,
    });
  }),
});

test("vault: a token is renewed before it ends, and the pod signs in again where that is refused", async () => {
  await using vault = await startVault();
  vault.leaseFor(1);
  vault.secrets.set("name", "value");
  const env = { SECRETS_PROVIDER: "vault", VAULT_ADDR: vault.url, VAULT_ROLE: vault.role };
  const { provider } = readConfig({ ...env, VAULT_KUBERNETES_TOKEN_FILE: vault.tokenFile }).secrets;
  assert.ok(provider);
  const secrets = await openSecrets({ provider, refresh_ms: 60_000, seams: realSeams, logger: { warn: () => {} } });
  assert.equal(await secrets.get("name"), "value");
  await soonFound("the token is renewed twice", () => vault.counts.renewals >= 2);
  assert.equal(await secrets.get("name"), "value");
  assert.equal(vault.counts.logins, 1);
  vault.plan({ times: 1, manner: { status: 403, body: "{}" }, when: ({ path }) => path.endsWith("renew-self") });
  vault.signOutAll();
  assert.equal(await secrets.get("name"), "value");
  assert.ok(vault.counts.logins >= 2);
  secrets.close();
});

test("files: the exchange of a mounted Kubernetes Secret is seen at once, whole, and no name leads out of the folder", async () => {
  const place = join(folder, "mounted");
  const write = (version: string) => {
    mkdirSync(join(place, version), { recursive: true });
    for (const name of ["user", "password"]) writeFileSync(join(place, version, name), `${name} ${version}`);
    symlinkSync(version, join(place, "..data_tmp"));
    renameSync(join(place, "..data_tmp"), join(place, "..data"));
  };
  write("..1");
  for (const name of ["user", "password"]) symlinkSync(join("..data", name), join(place, name));
  const { provider } = readConfig({ SECRETS_PROVIDER: "files", SECRETS_DIR: place }).secrets;
  assert.ok(provider);
  const secrets = await openSecrets({ provider, refresh_ms: 600_000, seams: realSeams, logger: { warn: () => {} } });
  const changed = new Promise<string>((resolve) => {
    void secrets.watch("password", resolve).then(({ value }) => {
      assert.equal(value, "password ..1");
      write("..2");
    });
  });
  assert.equal(await changed, "password ..2");
  assert.equal(await readFile(join(place, "user"), "utf8"), "user ..2");
  writeFileSync(join(dirname(place), "outside"), "hunter2");
  await assert.rejects(secrets.get("../outside"), /leads out of the folder/);
  secrets.close();
});
