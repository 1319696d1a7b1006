// A company's directory that provisions people by SCIM 2.0: the bodies of its requests are for the test to write.

import type { Json, Person } from "./http.ts";

export type Directory = {
  token: string;
  tokenId: string;
  /** The path is behind /scim/v2. The body is sent as it is where it is a text, and as JSON otherwise. */
  ask(method: string, path: string, body?: unknown): Promise<{ status: number; headers: Headers; body: Json }>;
};

/** Makes a token as the owner, and gives what asks with it. */
export async function openDirectory(
  { url }: { url: string },
  { owner, ...body }: { owner: Person; name: string; provider?: string },
): Promise<Directory> {
  const made = await owner.call("POST", "/_parley/admin/v1/provisioning/tokens", body);
  return directoryOf(url, made);
}

export function directoryOf(url: string, made: { token: string; token_id: string }): Directory {
  return {
    token: made.token,
    tokenId: made.token_id,
    async ask(method, path, body) {
      const response = await fetch(`${url}/scim/v2${path}`, {
        method,
        headers: {
          authorization: `Bearer ${made.token}`,
          ...(body === undefined ? {} : { "content-type": "application/scim+json" }),
        },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, headers: response.headers, body: text === "" ? undefined : JSON.parse(text) };
    },
  };
}
