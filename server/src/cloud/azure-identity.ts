/**
 * Who this process is to Azure: tokens of Microsoft Entra by workload identity (a token of the pod, exchanged), by a client secret,
 * or by the managed identity of the machine. The SDK for it is 48 MB; this is what a server needs of it.
 */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { Seams } from "../seams.ts";
import { type Address, valueOf } from "../secrets/address.ts";
import { type Asking, askJson, CloudError } from "./ask.ts";

export interface AzureIdentity {
  tenantId: string | undefined;
  clientId: string | undefined;
  clientSecret: Address | undefined;
  /** A file with a token of the pod, which changes. */
  federatedTokenFile: string | undefined;
  /** Of Entra. */
  authorityHost: string;
  /** Of the machine's metadata. */
  metadataHost: string;
}

/** Gives a token for a resource such as `https://vault.azure.net`, a new one where that is wanted. Throws CloudError. */
export type Tokens = (resource: string, fresh?: boolean) => Promise<string>;

const tokenAnswer = z.looseObject({ access_token: z.string(), expires_in: z.coerce.number() });

/** So long before its end a token is not used any more; asked for once however many need it. */
const SPARE_MS = 120_000;

export function azureTokens(identity: AzureIdentity, seams: Seams): Tokens {
  const kept = new Map<string, { token: Promise<string>; until_ms: number }>();
  return (resource, fresh = false) => {
    const known = fresh ? undefined : kept.get(resource);
    if (known && seams.monotonic_ms() < known.until_ms) return known.token;
    const entry = { token: Promise.resolve(""), until_ms: Number.POSITIVE_INFINITY };
    entry.token = fetchToken(identity, resource, seams).then(
      ({ access_token, expires_in }) => {
        // One that lives shorter than the spare time is good for half of it.
        entry.until_ms = seams.monotonic_ms() + Math.max(expires_in * 1_000 - SPARE_MS, expires_in * 500);
        return access_token;
      },
      (thrown: unknown) => {
        kept.delete(resource);
        throw thrown;
      },
    );
    kept.set(resource, entry);
    return entry.token;
  };
}

async function fetchToken(identity: AzureIdentity, resource: string, seams: Seams) {
  const asking = await askingFor(identity, resource);
  const answer = tokenAnswer.safeParse(await askJson(seams, asking));
  if (!answer.success) throw new CloudError(`${asking.service} answered without a token`);
  return answer.data;
}

async function askingFor(identity: AzureIdentity, resource: string): Promise<Asking> {
  const { tenantId, clientId, clientSecret, federatedTokenFile, authorityHost, metadataHost } = identity;
  if (tenantId && clientId && (clientSecret || federatedTokenFile)) {
    const proof: Record<string, string> = federatedTokenFile
      ? {
          client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
          client_assertion: (await readFile(federatedTokenFile, "utf8")).trim(),
        }
      : { client_secret: valueOf(clientSecret as Address) };
    const form = { grant_type: "client_credentials", client_id: clientId, scope: `${resource}/.default`, ...proof };
    return {
      service: "Microsoft Entra",
      method: "POST",
      url: `${authorityHost.replace(/\/+$/, "")}/${tenantId}/oauth2/v2.0/token`,
      headers: () => ({ "content-type": "application/x-www-form-urlencoded" }),
      body: new URLSearchParams(form).toString(),
    };
  }
  const query = new URLSearchParams({
    "api-version": "2018-02-01",
    resource,
    ...(clientId ? { client_id: clientId } : {}),
  });
  return {
    service: "the managed identity of this machine",
    url: `${metadataHost}/metadata/identity/oauth2/token?${query.toString()}`,
    headers: () => ({ metadata: "true" }),
  };
}
