/** Plans of new rooms, for the tests. */
import assert from "node:assert/strict";
import { MatrixError } from "../../../errors.ts";
import { createRoomBody } from "../create-body.ts";
import { planRoom } from "../create.ts";
import type { RoomPlan, RoomSetup } from "../create.ts";
import type { Content } from "../event.ts";
import { alice } from "./scene.ts";

export function setup(more: Partial<RoomSetup> = {}): RoomSetup {
  let counter = 0;
  return {
    creator: alice,
    serverName: "parley.test",
    now_ms: 1_700_000_000_000,
    newEventId: () => `$${String(counter++).padStart(43, "e")}`,
    newRoomLocalpart: () => "opaque",
    ...more,
  };
}

/** The plan for a body as a client sends it. */
export function plan(body: object, more?: Partial<RoomSetup>): RoomPlan {
  return planRoom(createRoomBody.parse(body), setup(more));
}

export function contentOf({ events }: RoomPlan, type: string, stateKey = ""): Content | undefined {
  return events.findLast((event) => event.type === type && event.state_key === stateKey)?.content;
}

export function typesOf({ events }: RoomPlan): string[] {
  return events.map(({ type, state_key, content }) =>
    type === "m.room.member" ? `${content.membership} ${state_key}` : type,
  );
}

export function errorOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof MatrixError, String(error));
    return error.errcode;
  }
  return "no error";
}

export const PRESET_EVENTS = ["m.room.join_rules", "m.room.history_visibility", "m.room.guest_access"];
export const START = ["m.room.create", `join ${alice}`, "m.room.power_levels"];
