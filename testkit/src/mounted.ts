// Every route that a server mounts, at each of its paths, whichever roles a process has.

import { pathsOf, type Route } from "../../server/src/http.ts";
import type { Domain } from "../../server/src/roles.ts";
import { domains } from "../../server/src/server.ts";

export type MountedRoute = {
  domain: Domain;
  method: Route["method"];
  /** The path that clients ask for; `pattern` is what the server knows the route by, which an older name differs from. */
  path: string;
  pattern: string;
  access: Route["access"];
};

export async function mountedRoutes(): Promise<MountedRoute[]> {
  const all = await Promise.all(
    (Object.keys(domains) as Domain[]).map(async (domain) => {
      const { routes } = await domains[domain]();
      return routes.flatMap((each) =>
        pathsOf(each).map((path) => {
          const { method, access } = each;
          return { domain, method, path, pattern: each.path, access };
        }),
      );
    }),
  );
  return all.flat();
}
