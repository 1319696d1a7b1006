/** The paths of the directory domain, and what it does in the background. */
import type { Context } from "../context.ts";
import type { Route } from "../http.ts";
import { aliasRoutes } from "./alias-routes.ts";
import { hierarchy } from "./hierarchy.ts";
import { mutualRooms } from "./mutual-rooms.ts";
import { putNetworkVisibility } from "./networks.ts";
import { publicRoomRoutes } from "./public-rooms.ts";
import { followLog } from "./published.ts";
import { reportRoutes } from "./report.ts";
import { roomSummary } from "./room-summary.ts";
import { userSearch } from "./user-search.ts";

export const routes: readonly Route[] = [
  ...aliasRoutes,
  ...publicRoomRoutes,
  putNetworkVisibility,
  hierarchy,
  roomSummary,
  userSearch,
  mutualRooms,
  ...reportRoutes,
];

/** Keeps the published directory in step with the log. */
export function start(ctx: Context): Promise<() => Promise<void>> {
  return Promise.resolve(followLog(ctx));
}
