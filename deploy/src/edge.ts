/** The edge of a release: what an Ingress or a Gateway leads where. */
import type { Shape, WorkloadName } from "./release.ts";

/**
 * Which path goes to which workload, the first part of a path that fits: what an Ingress of any kind can do. The paths of
 * roles with a segment in the middle (`rooms/:roomId/typing`) it can not tell apart: they go to the door.
 */
export const edgePaths: Record<Shape, readonly { path: string; workload: WorkloadName }[]> = {
  together: [
    { path: "/_matrix/client/v1/admin", workload: "web" },
    { path: "/_matrix/client/v3/admin", workload: "web" },
    { path: "/_matrix", workload: "api" },
    { path: "/_parley/admin/v1", workload: "web" },
    { path: "/_parley/client/v1/exports", workload: "web" },
    { path: "/_parley", workload: "api" },
    { path: "/_synapse", workload: "api" },
    { path: "/oauth2", workload: "api" },
    { path: "/scim", workload: "api" },
    { path: "/.well-known", workload: "api" },
    { path: "/", workload: "web" },
  ],
  split: [
    { path: "/_matrix/media", workload: "media" },
    { path: "/_matrix/client/v1/media", workload: "media" },
    { path: "/_matrix/client/v1/admin", workload: "web" },
    { path: "/_matrix/client/v3/admin", workload: "web" },
    { path: "/_parley/client/v1/uploads", workload: "media" },
    { path: "/_matrix", workload: "gateway" },
    { path: "/_parley/admin/v1", workload: "web" },
    { path: "/_parley/client/v1/exports", workload: "web" },
    { path: "/_parley", workload: "gateway" },
    { path: "/_synapse", workload: "gateway" },
    { path: "/oauth2", workload: "gateway" },
    { path: "/scim", workload: "gateway" },
    { path: "/.well-known", workload: "gateway" },
    { path: "/", workload: "web" },
  ],
};
