// Providers of OpenID Connect that are none, or not what they should be, on loopback.

import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

export type FalseProvider = AsyncDisposable & { issuer: string };

/** Whatever answers HTTP. */
export async function serve(listener: RequestListener): Promise<FalseProvider> {
  const http = createServer(listener);
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const close = () => {
    http.closeAllConnections();
    return new Promise<void>((resolve) => http.close(() => resolve()));
  };
  return { issuer: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, [Symbol.asyncDispose]: close };
}

/** One that says of itself what a right one says, but for what `change` makes another; everything else is answered by `rest`. */
export function saying(
  change: (issuer: string) => object,
  rest: RequestListener = (_, answer) => void answer.end("{}"),
): Promise<FalseProvider> {
  return serve((request, answer) => {
    if (request.url !== "/.well-known/openid-configuration") return rest(request, answer);
    const issuer = `http://${request.headers.host}`;
    const right = {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/keys`,
    };
    answer.setHeader("content-type", "application/json").end(JSON.stringify({ ...right, ...change(issuer) }));
  });
}
