/** The clients that have registered themselves. Specification: client-server-api, "Dynamic client registration flow"; RFC 7591. */
import { hash } from "node:crypto";
import type { Context } from "../../context.ts";
import { Answer, route } from "../../http.ts";
import { limits } from "../../limits.ts";
import { randomToken } from "../../seams.ts";
import { checkClient, type ClientMetadata, RefusedClient } from "./client-metadata.ts";
import { readBody } from "./forms.ts";
import { SIGNING_ALGORITHM } from "./signing-keys.ts";

const CLIENT_ID_BYTES = 16;
export const REGISTRATION_PATH = "/oauth2/clients/register";

export const registerClient = route({
  method: "POST",
  path: REGISTRATION_PATH,
  access: "anyone",
  rate: "register",
  body: "stream",
  async handle({ body }, ctx) {
    try {
      const metadata = checkClient(parsed(await readBody(body, limits.oauthClient_bytes)));
      const client = await keepClient(ctx, metadata);
      return answer(201, { client_id: client.clientId, client_id_issued_at: client.issued_s, ...metadata });
    } catch (thrown) {
      if (!(thrown instanceof RefusedClient)) throw thrown;
      return answer(400, { error: thrown.code, error_description: thrown.message });
    }
  },
});

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new RefusedClient("invalid_client_metadata", "The body is not JSON.");
  }
}

function answer(status: number, body: object): Answer {
  const headers = { "content-type": "application/json", "cache-control": "no-store" };
  return new Answer({ status, headers, payload: JSON.stringify(body) });
}

/** Whoever registers the same is the same client, so that there is one for each version of an app and not one for each device. */
async function keepClient(ctx: Context, metadata: ClientMetadata): Promise<{ clientId: string; issued_s: number }> {
  const text = JSON.stringify(metadata);
  const row = await ctx.db.auth.one<{ clientId: string; issued_s: number }>(
    `insert into auth.oauth_clients as c (client_id, metadata, digest) values ($1, $2, $3)
     on conflict (digest) do update set used_at = now()
     returning c.client_id as "clientId", floor(extract(epoch from c.created_at))::bigint as issued_s`,
    [randomToken(ctx.seams, CLIENT_ID_BYTES), text, hash("sha256", text, "buffer")],
  );
  if (!row) throw new Error("auth.oauth_clients gave no row");
  return row;
}

export interface KnownClient extends ClientMetadata {
  client_id: string;
  id_token_signed_response_alg: typeof SIGNING_ALGORITHM;
}

/** As the provider takes it; undefined where nobody has registered under this id. */
export async function readClient(ctx: Context, clientId: string): Promise<KnownClient | undefined> {
  if (clientId.includes("\0")) return undefined;
  const row = await ctx.db.auth.one<{ metadata: ClientMetadata }>(
    "select metadata from auth.oauth_clients where client_id = $1",
    [clientId],
  );
  return row && { client_id: clientId, ...row.metadata, id_token_signed_response_alg: SIGNING_ALGORITHM };
}

/** What people are shown of a client. */
export interface ShownClient {
  name: string;
  /** The host of its page, which it can not choose as freely as its name. */
  host: string;
  links: { tos_uri?: string | undefined; policy_uri?: string | undefined };
}

export function shownClient({ client_name, client_uri, tos_uri, policy_uri }: ClientMetadata): ShownClient {
  const { host } = new URL(client_uri);
  return { name: client_name ?? host, host, links: { tos_uri, policy_uri } };
}
