// The operations of the specification against the routes that a server mounts.

import type { Operation } from "./operations.ts";

/** A route, at one of its paths, with `:name` for parameters. */
export type MountedPath = { method: string; path: string };

export type Coverage<Mounted extends MountedPath> = {
  /** Each operation with the route that serves it. */
  served: { operation: Operation; mounted: Mounted }[];
  missing: Operation[];
  /** Routes that no operation is served by. */
  beyond: Mounted[];
};

/** Compares the two, both ways. What parameters are called makes no difference, nor does a slash at the end. */
export function compareCoverage<Mounted extends MountedPath>(
  operations: readonly Operation[],
  routes: readonly Mounted[],
): Coverage<Mounted> {
  const byShape = new Map(routes.map((mounted) => [shapeOf(mounted), mounted]));
  const shapes = new Set(operations.map(shapeOf));
  return {
    served: operations.flatMap((operation) => {
      const mounted = byShape.get(shapeOf(operation));
      return mounted ? [{ operation, mounted }] : [];
    }),
    missing: operations.filter((operation) => !byShape.has(shapeOf(operation))),
    beyond: routes.filter((mounted) => !shapes.has(shapeOf(mounted))),
  };
}

/** The specification writes two operations at one path apart with a space behind it: `/rooms/{roomId}/invite `. */
function shapeOf({ method, path }: MountedPath): string {
  const bare = path.trim().replace(/\/$/, "");
  return `${method} ${bare.replaceAll(/\{[^}]+\}|:[^/]+/g, "_")}`;
}
