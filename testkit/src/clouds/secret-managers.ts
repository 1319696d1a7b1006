// What keeps secrets: the part of each service that gives one to a program, with its own way to say who that is.

import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "./identities.ts";
import { type Answer, type Cloud, serveCloud } from "./serve.ts";
import { type AwsKeys, refusalOf } from "./sigv4.ts";

/** A service with its secrets, which a test may change. Whoever signed in before `signOutAll`, where there is one, must do so again. */
export type SecretManager = Cloud & { secrets: Map<string, string>; signOutAll?(): void };

/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html */
export async function startAwsSecrets(): Promise<SecretManager & { keys: AwsKeys }> {
  const secrets = new Map<string, string>();
  const keys = { accessKeyId: "AKIATEST", secretAccessKey: "another/secret" };
  const cloud = await serveCloud((asked) => {
    const refused = refusalOf(asked, keys, "secretsmanager");
    if (refused) return awsFailure(refused);
    if (asked.headers["x-amz-target"] !== "secretsmanager.GetSecretValue") return awsFailure("InvalidAction");
    const { SecretId } = JSON.parse(String(asked.body)) as { SecretId: string };
    const found = secrets.get(SecretId);
    return found === undefined
      ? awsFailure("ResourceNotFoundException")
      : awsJson(200, { Name: SecretId, SecretString: found });
  });
  return { ...cloud, secrets, keys };
}

const awsJson = (status: number, value: unknown): Answer => ({
  ...json(status, value),
  headers: { "content-type": "application/x-amz-json-1.1" },
});
const awsFailure = (type: string) => awsJson(400, { __type: type, message: type });

/** https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret */
export async function startKeyVault(entra: {
  isToken(token: string): boolean;
  takeBack(): void;
}): Promise<SecretManager> {
  const secrets = new Map<string, string>();
  const cloud = await serveCloud(({ path, query, headers }) => {
    const token = /^Bearer (.+)$/.exec(headers["authorization"] ?? "")?.[1] ?? "";
    if (!entra.isToken(token)) return json(401, { error: { code: "Unauthorized" } });
    if (query.get("api-version") !== "7.4") return json(400, { error: { code: "BadParameter" } });
    const found = secrets.get(/^\/secrets\/([0-9A-Za-z-]+)$/.exec(path)?.[1] ?? "");
    return found === undefined ? json(404, { error: { code: "SecretNotFound" } }) : json(200, { value: found });
  });
  return { ...cloud, secrets, signOutAll: () => entra.takeBack() };
}

/** https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions/access */
export async function startGoogleSecrets(project: string, isToken: (token: string) => boolean): Promise<SecretManager> {
  const secrets = new Map<string, string>();
  const cloud = await serveCloud(({ path, headers }) => {
    const token = /^Bearer (.+)$/.exec(headers["authorization"] ?? "")?.[1] ?? "";
    if (!isToken(token)) return json(401, { error: { status: "UNAUTHENTICATED" } });
    const [, of, name = ""] = /^\/v1\/projects\/([^/]+)\/secrets\/([^/]+)\/versions\/latest:access$/.exec(path) ?? [];
    if (of !== project) return json(403, { error: { status: "PERMISSION_DENIED" } });
    const found = secrets.get(decodeURIComponent(name));
    if (found === undefined) return json(404, { error: { status: "NOT_FOUND" } });
    return json(200, { payload: { data: Buffer.from(found).toString("base64") } });
  });
  return { ...cloud, secrets };
}

export type Vault = SecretManager & {
  signOutAll(): void;
  /** A token that an operator made. */
  token: string;
  role: string;
  /** The token of the pod that may sign in. */
  tokenFile: string;
  /** How long tokens live from now on. */
  leaseFor(seconds: number): void;
  /** How often somebody signed in, and renewed. */
  counts: { logins: number; renewals: number };
};

/** https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2, …/auth/kubernetes, …/auth/token */
export async function startVault({ token = `root-${randomUUID()}` } = {}): Promise<Vault> {
  const folder = mkdtempSync(join(tmpdir(), "parley-vault-"));
  const tokenFile = join(folder, "token");
  const jwt = `pod.${randomUUID()}`;
  writeFileSync(tokenFile, jwt);
  const secrets = new Map<string, string>();
  const counts = { logins: 0, renewals: 0 };
  const role = "parley";
  let lease_s = 3_600;
  const ends = new Map<string, number>();
  const isGood = (each: string) => each === token || (ends.get(each) ?? 0) > Date.now();
  const give = (each: string) => {
    ends.set(each, Date.now() + lease_s * 1_000);
    return json(200, { auth: { client_token: each, lease_duration: lease_s, renewable: true } });
  };
  const cloud = await serveCloud(({ method, path, headers, body }) => {
    const of = headers["x-vault-token"] ?? "";
    if (path === "/v1/auth/kubernetes/login" && method === "POST") {
      const asked = JSON.parse(String(body)) as { role?: string; jwt?: string };
      if (asked.role !== role || asked.jwt !== jwt) return json(403, { errors: ["permission denied"] });
      counts.logins += 1;
      return give(`hvs.${randomUUID()}`);
    }
    if (!isGood(of)) return json(403, { errors: ["permission denied"] });
    if (path === "/v1/auth/token/lookup-self") return json(200, { data: { ttl: 0, renewable: false } });
    if (path === "/v1/auth/token/renew-self" && method === "POST") {
      counts.renewals += 1;
      return give(of);
    }
    const name = decodeURIComponent(/^\/v1\/secret\/data\/(.+)$/.exec(path)?.[1] ?? "");
    const found = secrets.get(name);
    if (found === undefined) return json(404, { errors: [] });
    const data: unknown = found.startsWith("{") ? JSON.parse(found) : { value: found };
    return json(200, { data: { data, metadata: { version: 1 } } });
  });
  return {
    ...cloud,
    secrets,
    token,
    role,
    tokenFile,
    counts,
    leaseFor: (seconds) => void (lease_s = seconds),
    signOutAll: () => ends.clear(),
    async [Symbol.asyncDispose]() {
      rmSync(folder, { recursive: true, force: true });
      await cloud[Symbol.asyncDispose]();
    },
  };
}

export type Infisical = SecretManager & { projectId: string; clientId: string; clientSecret: string };

/** https://infisical.com/docs/api-reference/endpoints/universal-auth/login, …/secrets/read */
export async function startInfisical(): Promise<Infisical> {
  const secrets = new Map<string, string>();
  const known = { projectId: randomUUID(), clientId: randomUUID(), clientSecret: "a machine's secret" };
  const given = new Set<string>();
  const cloud = await serveCloud(({ method, path, query, headers, body }) => {
    if (path === "/api/v1/auth/universal-auth/login" && method === "POST") {
      const { clientId, clientSecret } = JSON.parse(String(body)) as Record<string, string>;
      if (clientId !== known.clientId || clientSecret !== known.clientSecret)
        return json(401, { message: "Invalid credentials" });
      const accessToken = randomUUID();
      given.add(accessToken);
      return json(200, { accessToken, expiresIn: 3_600, tokenType: "Bearer" });
    }
    if (!given.has((headers["authorization"] ?? "").replace("Bearer ", "")))
      return json(401, { message: "Token missing" });
    if (query.get("workspaceId") !== known.projectId || query.get("environment") !== "prod")
      return json(403, { message: "Not a member of the project" });
    const key = decodeURIComponent(/^\/api\/v3\/secrets\/raw\/([^/]+)$/.exec(path)?.[1] ?? "");
    const found = secrets.get(`${query.get("secretPath")}/${key}`.replace(/^\/+/, ""));
    return found === undefined
      ? json(404, { message: "Secret not found" })
      : json(200, { secret: { secretKey: key, secretValue: found } });
  });
  return { ...cloud, ...known, secrets, signOutAll: () => given.clear() };
}
