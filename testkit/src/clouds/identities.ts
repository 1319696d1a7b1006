// Who gives tokens: Microsoft Entra, and Google's exchange of tokens of others. Each token is known, and can be taken back.

import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Answer, type Asked, type Cloud, serveCloud } from "./serve.ts";

export type Identities = Cloud & {
  /** Whether the token is one of those given out. */
  isToken(token: string): boolean;
  /** What was given out is worth nothing any more. */
  takeBack(): void;
};

/** Microsoft Entra, for one application of one tenant, by its secret or by a federated token. */
export type Entra = Identities & {
  tenantId: string;
  clientId: string;
  clientSecret: string;
  federatedTokenFile: string;
};

export async function startEntra(): Promise<Entra> {
  const folder = mkdtempSync(join(tmpdir(), "parley-entra-"));
  const known = { tenantId: randomUUID(), clientId: randomUUID(), clientSecret: "an application's secret" };
  const podToken = `pod.${randomUUID()}`;
  const federatedTokenFile = join(folder, "token");
  writeFileSync(federatedTokenFile, podToken);
  const tokens = openTokens();
  const cloud = await serveCloud(({ method, path, body }) => {
    const form = new URLSearchParams(String(body));
    const isAsserted =
      form.get("client_assertion_type") === "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" &&
      form.get("client_assertion") === podToken;
    const isRight =
      method === "POST" &&
      path === `/${known.tenantId}/oauth2/v2.0/token` &&
      form.get("client_id") === known.clientId &&
      form.get("grant_type") === "client_credentials" &&
      /^https:\/\/[a-z.]+\/\.default$/.test(form.get("scope") ?? "") &&
      (isAsserted || form.get("client_secret") === known.clientSecret);
    return isRight ? tokens.give("access_token") : json(401, { error: "invalid_client" });
  });
  return {
    ...cloud,
    ...known,
    ...tokens,
    federatedTokenFile,
    async [Symbol.asyncDispose]() {
      rmSync(folder, { recursive: true, force: true });
      await cloud[Symbol.asyncDispose]();
    },
  };
}

/** Google's Security Token Service; `keyFile` names it, and a token of a pod, as a federated workload identity does. */
export type GoogleTokens = Identities & { keyFile: string };

export async function startGoogleTokens(): Promise<GoogleTokens> {
  const folder = mkdtempSync(join(tmpdir(), "parley-google-"));
  const subject = `pod.${randomUUID()}`;
  const audience = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/test/providers/test";
  const tokens = openTokens();
  const cloud = await serveCloud(({ path, body }: Asked) => {
    const form = new URLSearchParams(String(body));
    const isRight =
      path === "/v1/token" &&
      form.get("grant_type") === "urn:ietf:params:oauth:grant-type:token-exchange" &&
      form.get("audience") === audience &&
      form.get("subject_token") === subject;
    return isRight ? tokens.give("access_token") : json(400, { error: "invalid_grant" });
  });
  writeFileSync(join(folder, "token"), subject);
  const keyFile = join(folder, "google.json");
  const settings = {
    type: "external_account",
    audience,
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    token_url: `${cloud.url}/v1/token`,
    credential_source: { file: join(folder, "token") },
  };
  writeFileSync(keyFile, JSON.stringify(settings));
  return {
    ...cloud,
    ...tokens,
    keyFile,
    async [Symbol.asyncDispose]() {
      rmSync(folder, { recursive: true, force: true });
      await cloud[Symbol.asyncDispose]();
    },
  };
}

function openTokens() {
  const given = new Set<string>();
  return {
    isToken: (token: string) => given.has(token),
    takeBack: () => given.clear(),
    give(member: string): Answer {
      const token = `token-${randomUUID()}`;
      given.add(token);
      const issued = "urn:ietf:params:oauth:token-type:access_token";
      return json(200, { [member]: token, token_type: "Bearer", expires_in: 3_600, issued_token_type: issued });
    },
  };
}

export function json(status: number, value: unknown): Answer {
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify(value) };
}
