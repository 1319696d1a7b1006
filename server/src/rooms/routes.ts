/** The paths of the rooms domain. */
import type { Route } from "../http.ts";
import { ban } from "./ban.ts";
import { createRoom } from "./create.ts";
import { forget } from "./forget.ts";
import { invite } from "./invite.ts";
import { joinById, joinByIdOrAlias } from "./join.ts";
import { joinedRooms } from "./joined-rooms.ts";
import { kick } from "./kick.ts";
import { knock } from "./knock.ts";
import { leave } from "./leave.ts";
import { joinedMembers, members } from "./members.ts";
import { getState, getStateEvent, getStateEventWithoutKey } from "./state-get.ts";
import { putState, putStateWithoutKey } from "./state-put.ts";
import { unban } from "./unban.ts";
import { upgrade } from "./upgrade.ts";

export const routes: readonly Route[] = [
  createRoom,
  joinById,
  joinByIdOrAlias,
  knock,
  invite,
  leave,
  kick,
  ban,
  unban,
  forget,
  joinedRooms,
  members,
  joinedMembers,
  getState,
  getStateEvent,
  getStateEventWithoutKey,
  putState,
  putStateWithoutKey,
  upgrade,
];
