/**
 * The paths at which anybody could once read files, without being signed in. A server may freeze them (client-server-api, "Content
 * repository", since version 1.11): what was uploaded later is not there. All that Parley has was uploaded later.
 */
import { matrixError } from "../errors.ts";
import { type Route, route } from "../http.ts";

const MEDIA = "/:serverName/:mediaId";

export const frozenRoutes: readonly Route[] = [
  `download${MEDIA}`,
  `download${MEDIA}/:fileName`,
  `thumbnail${MEDIA}`,
].map((path) =>
  route({
    method: "GET",
    path: `/_matrix/media/v3/${path}`,
    alsoAt: [`/_matrix/media/r0/${path}`, `/_matrix/media/v1/${path}`],
    access: "anyone",
    handle: () => {
      throw matrixError("M_NOT_FOUND", "Files are read at /_matrix/client/v1/media, by who is signed in.");
    },
  }),
);
