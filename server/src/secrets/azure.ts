/** Azure Key Vault, by its REST interface. https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret */
import { z } from "zod";
import { ask, CloudError } from "../cloud/ask.ts";
import type { Tokens } from "../cloud/azure-identity.ts";
import type { Seams } from "../seams.ts";
import type { Provider } from "./secrets.ts";

export interface KeyVaultOptions {
  /** Such as https://parley.vault.azure.net. */
  url: string;
  tokens: Tokens;
  seams: Seams;
}

const RESOURCE = "https://vault.azure.net";
const secret = z.looseObject({ value: z.string() });

export function keyVaultProvider({ url, tokens, seams }: KeyVaultOptions): Provider {
  const request = (name: string, fresh: boolean) =>
    ask(seams, {
      service: "Azure Key Vault",
      url: `${url.replace(/\/+$/, "")}/secrets/${encodeURIComponent(name)}?api-version=7.4`,
      headers: async () => ({ authorization: `Bearer ${await tokens(RESOURCE, fresh)}` }),
      expected: [401, 404],
    });
  return {
    name: "Azure Key Vault",
    async read(name) {
      if (!/^[0-9A-Za-z-]{1,127}$/.test(name)) throw new CloudError("its names have letters, digits and dashes only");
      let answer = await request(name, false);
      // A token may be worth nothing before its time.
      if (answer.status === 401) answer = await request(name, true);
      if (answer.status === 401) throw new CloudError("Azure Key Vault does not take the token", { status: 401 });
      const body: unknown = await answer.json().catch(() => undefined);
      return answer.status === 404 ? undefined : secret.parse(body).value;
    },
  };
}
