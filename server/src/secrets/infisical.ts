/**
 * Infisical, as a machine identity with universal auth. A name is that of a secret, with its folder in front where it has one.
 * https://infisical.com/docs/api-reference/endpoints/universal-auth/login, …/secrets/read
 */
import { z } from "zod";
import { ask, askJson, CloudError } from "../cloud/ask.ts";
import type { Seams } from "../seams.ts";
import { type Address, valueOf } from "./address.ts";
import type { Provider } from "./secrets.ts";

export interface InfisicalOptions {
  url: string;
  projectId: string;
  /** Its slug: `prod`. */
  environment: string;
  clientId: string;
  clientSecret: Address;
  seams: Seams;
}

const login = z.looseObject({ accessToken: z.string(), expiresIn: z.number() });
const secret = z.looseObject({ secret: z.looseObject({ secretValue: z.string() }) });

export function infisicalProvider(options: InfisicalOptions): Provider {
  const { seams, projectId, environment } = options;
  const base = options.url.replace(/\/+$/, "");
  let session: { token: string; until_ms: number } | undefined;
  const token = async () => {
    if (session && seams.monotonic_ms() < session.until_ms) return session.token;
    const answer = await askJson(seams, {
      service: "Infisical",
      method: "POST",
      url: `${base}/api/v1/auth/universal-auth/login`,
      headers: () => ({ "content-type": "application/json" }),
      body: JSON.stringify({ clientId: options.clientId, clientSecret: valueOf(options.clientSecret) }),
    });
    const { accessToken, expiresIn } = login.parse(answer);
    session = { token: accessToken, until_ms: seams.monotonic_ms() + expiresIn * 900 };
    return accessToken;
  };
  const request = (name: string) => {
    const parts = name.split("/");
    const key = parts.pop() as string;
    const query = new URLSearchParams({ workspaceId: projectId, environment, secretPath: `/${parts.join("/")}` });
    return ask(seams, {
      service: "Infisical",
      url: `${base}/api/v3/secrets/raw/${encodeURIComponent(key)}?${query.toString()}`,
      headers: async () => ({ authorization: `Bearer ${await token()}` }),
      expected: [401, 404],
    });
  };
  return {
    name: "Infisical",
    async read(name) {
      let answer = await request(name);
      if (answer.status === 401) {
        session = undefined;
        answer = await request(name);
      }
      if (answer.status === 401) throw new CloudError("Infisical does not take the token", { status: 401 });
      const body: unknown = await answer.json().catch(() => undefined);
      return answer.status === 404 ? undefined : secret.parse(body).secret.secretValue;
    },
  };
}
