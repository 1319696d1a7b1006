/** What PostgreSQL's texts can not hold: U+0000, and half of a surrogate pair. Within a body both are escaped, and so harmless. */
import { matrixError } from "../errors.ts";
import type { NewEntry, Submission } from "./entry.ts";

const NAMES = [
  "room",
  "user",
  "device",
  "event_id",
  "type",
  "state_key",
  "relates_to",
  "relation_type",
  "txn_id",
  "redacts",
  "receipt_event",
] as const satisfies readonly (keyof NewEntry)[];

/** Throws M_BAD_JSON where a name in one of the entries can not be stored. */
export function refuseUnstorable({ entries, members }: Submission): void {
  for (const { user } of members ?? []) refuse("user", user);
  for (const entry of entries) for (const name of NAMES) refuse(name, entry[name]);
}

function refuse(name: string, text: string | undefined): void {
  if (text !== undefined && (text.includes("\0") || !text.isWellFormed()))
    throw matrixError("M_BAD_JSON", `"${name}" has a character that can not be stored.`);
}
