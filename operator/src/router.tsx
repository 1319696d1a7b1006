import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Link } from "@tanstack/react-router";
import { ScreenFailed } from "./frame/ScreenFailed.tsx";
import { Screen } from "./frame/Screen.tsx";
import { Shell } from "./frame/Shell.tsx";
import { parseSearch, stringifySearch } from "./model/search.ts";
import { Loading } from "./parts/States.tsx";
import { details, groups } from "./screens/list.ts";

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });

const routes = [...groups.flatMap(({ screens }) => screens), ...details].map(({ path, load }) =>
  createRoute({ getParentRoute: () => root, path, component: lazyRouteComponent(load) }),
);

export const router = createRouter({
  routeTree: root.addChildren(routes),
  basepath: "/admin",
  parseSearch,
  stringifySearch,
  defaultPendingComponent: Loading,
  defaultErrorComponent: ScreenFailed,
  defaultStructuralSharing: true,
  defaultPreload: "intent",
});

function NotFound() {
  return (
    <Screen title="Nothing here">
      <p style={{ padding: 20 }}>
        The console has no such page. <Link to="/">Overview</Link>
      </p>
    </Screen>
  );
}
