/** The first `m.room.power_levels` of a room. Specification: client-server-api, "Creation", step 3. */
import { isInteger, isObject } from "./event.ts";
import type { Content } from "./event.ts";
import type { Preset } from "./create-body.ts";
import type { RoomVersion } from "./versions.ts";

export interface LevelsPlan {
  readonly version: RoomVersion;
  readonly preset: Preset;
  readonly creator: string;
  readonly invitees: readonly string[];
  /** `power_level_content_override` of the request. */
  readonly override: Content;
}

const ADMINISTRATOR = 100;
const MODERATOR = 50;
/** The level of `m.room.tombstone` where creators have infinite power: out of reach of administrators. */
const TOMBSTONE = 150;

/**
 * The power levels that a room starts with. The override wins key by key; the maps `users` and `events` are merged
 * entry by entry, so that giving one event type its level does not open all others to moderators. `events` that are given
 * empty are meant to be: no type has a level of its own.
 */
export function initialLevels(plan: LevelsPlan): Content {
  const merged = merge(defaultLevels(plan), plan.override);
  return plan.version.privilegedCreators ? keepTombstoneHigh(merged, plan.override) : merged;
}

function defaultLevels({ version, preset, creator, invitees }: LevelsPlan): Content {
  const equals = preset === "trusted_private_chat" ? invitees : [];
  const administrators = version.privilegedCreators ? [] : [creator, ...equals];
  return {
    users: Object.fromEntries(administrators.map((userId) => [userId, ADMINISTRATOR])),
    users_default: 0,
    events: {
      "m.room.name": MODERATOR,
      "m.room.avatar": MODERATOR,
      "m.room.canonical_alias": MODERATOR,
      "m.room.power_levels": ADMINISTRATOR,
      "m.room.history_visibility": ADMINISTRATOR,
      "m.room.encryption": ADMINISTRATOR,
      "m.room.server_acl": ADMINISTRATOR,
      "m.room.tombstone": version.privilegedCreators ? TOMBSTONE : ADMINISTRATOR,
    },
    events_default: 0,
    state_default: MODERATOR,
    ban: MODERATOR,
    kick: MODERATOR,
    redact: MODERATOR,
    invite: preset === "public_chat" ? MODERATOR : 0,
  };
}

function merge(base: Content, override: Content): Content {
  const merged: Record<string, unknown> = { ...base, ...override };
  for (const name of ["users", "events"]) {
    const [below, above] = [base[name], override[name]];
    if (isObject(below) && isObject(above)) merged[name] = { ...below, ...above };
  }
  if (isObject(override.events) && Object.keys(override.events).length === 0) merged["events"] = {};
  return merged;
}

/** "The power level for sending m.room.tombstone MUST explicitly be higher than state_default", unless the client chose one. */
function keepTombstoneHigh(levels: Content, override: Content): Content {
  const { events, state_default } = levels;
  const isChosen = isObject(override.events) && Object.hasOwn(override.events, "m.room.tombstone");
  if (isChosen || !isObject(events) || !isInteger(state_default) || state_default < TOMBSTONE) return levels;
  const tombstone = Math.min(state_default + 1, Number.MAX_SAFE_INTEGER);
  return { ...levels, events: { ...events, "m.room.tombstone": tombstone } };
}
