import type { RoomNameState } from "matrix-js-sdk/lib/models/room.js";
import { localpart, names } from "../format/words.ts";

/** The name of a room that nobody has named: of whom it consists. Null leaves a given name as it is. */
export function generatedName(_roomId: string, state: RoomNameState): string | null {
  if ("names" in state) return names(state.names.map(readable));
  if ("name" in state) return null;
  return state.oldName ? readable(state.oldName) : "Nobody else is here";
}

/** Somebody without a name of their own is known by their user name, not by their whole id. */
function readable(name: string): string {
  return /^@[^:]+:/.test(name) ? localpart(name) : name;
}
