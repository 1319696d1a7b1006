// Access tokens that renew themselves, below the SDK, which renews those of OAuth sessions only.
// Specification: client-server-api, "Refreshing access tokens".

import { type Person, request } from "./http.ts";

export type RenewingFetch = {
  fetch: typeof fetch;
  /** How often a token was renewed. */
  renewals(): number;
};

/** Repeats a request whose token has expired with a new one. Requests that fail together share one renewal. */
export function renewingFetch(base: typeof fetch, url: string, person: Person): RenewingFetch {
  let { token, refreshToken } = person;
  let renewals = 0;
  let renewal: Promise<void> | undefined;
  const renew = async () => {
    const { status, body } = await request(url, "POST", "/_matrix/client/v3/refresh", {
      body: { refresh_token: refreshToken },
    });
    if (status !== 200) throw new Error(`the refresh was answered ${status}`);
    token = body.access_token;
    refreshToken = body.refresh_token ?? refreshToken;
    renewals += 1;
  };
  const send = (input: RequestInfo | URL, init: RequestInit | undefined) => {
    const headers = new Headers(init?.headers);
    if (headers.has("authorization")) headers.set("authorization", `Bearer ${token}`);
    return base(input, { ...init, headers });
  };
  const renewing: typeof fetch = async (input, init) => {
    const sent = token;
    const response = await send(input, init);
    if (response.status !== 401 || !(await response.clone().json()).soft_logout) return response;
    if (sent === token) await (renewal ??= renew().finally(() => (renewal = undefined)));
    return send(input, init);
  };
  return { fetch: renewing, renewals: () => renewals };
}
