/** The paths of provisioning by directories: SCIM 2.0. See docs/operations/provisioning.md. */
import type { Route } from "../http.ts";
import { refused, SCIM, scimRoute } from "./answer.ts";
import { discoveryRoutes } from "./discovery.ts";
import { userRoutes } from "./users.ts";

const served = [...discoveryRoutes, ...userRoutes];
const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

/** What is not served is refused in the words of SCIM too. */
const others = [...new Set(served.map(({ path }) => path)), `${SCIM}/*`].flatMap((path) =>
  methods
    .filter((method) => !served.some((each) => each.path === path && each.method === method))
    .map((method) =>
      scimRoute({
        method,
        path: path.slice(SCIM.length),
        isRefusal: true,
        handle() {
          throw path.endsWith("*")
            ? refused(404, undefined, "There is nothing here: people are at /Users.")
            : refused(405, undefined, `This has no ${method}.`);
        },
      }),
    ),
);

export const routes: readonly Route[] = [...served, ...others];
