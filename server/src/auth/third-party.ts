/**
 * E-mail addresses and phone numbers: this server keeps none and knows no identity server, and says so at each of the paths
 * where a client may ask. Specification: client-server-api, "Adding account administrative contact information".
 */
import { matrixError } from "../errors.ts";
import { type Route, route } from "../http.ts";

const V3 = "/_matrix/client/v3";

const contacts = route({
  method: "GET",
  path: `${V3}/account/3pid`,
  access: "session",
  rate: "other",
  handle: () => ({ threepids: [] }),
});

const removals = ["/account/3pid/delete", "/account/3pid/unbind"].map((path) =>
  route({
    method: "POST",
    path: V3 + path,
    access: "session",
    rate: "other",
    // There is nothing to remove, so it is gone.
    handle: () => ({ id_server_unbind_result: "success" }),
  }),
);

const additions = ["/account/3pid", "/account/3pid/add", "/account/3pid/bind"].map((path) =>
  route({ method: "POST", path: V3 + path, access: "session", rate: "other", handle: refuse }),
);

const requestTokens = ["/account/3pid", "/account/password", "/register"]
  .flatMap((path) => [`${path}/email/requestToken`, `${path}/msisdn/requestToken`])
  .map((path) => route({ method: "POST", path: V3 + path, access: "anyone", rate: "other", handle: refuse }));

function refuse(): never {
  throw matrixError("M_THREEPID_DENIED", "This server keeps no e-mail addresses and no phone numbers.");
}

export const thirdPartyRoutes: readonly Route[] = [contacts, ...removals, ...additions, ...requestTokens];
