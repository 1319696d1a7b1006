/** Changes of power levels, for the tables of rule 10. */
import { bob, carol } from "./scene.ts";
import type { Row, Scene } from "./scene.ts";
import { isObject } from "../event.ts";
import type { Content } from "../event.ts";

export const SCALARS = ["users_default", "events_default", "state_default", "ban", "redact", "kick", "invite"];
export const MAPS = ["events", "notifications"];

export const members = { [bob]: "join", [carol]: "join" };
/** What lets Bob, who has 50, send power levels at all, so that what refuses him is rule 10. */
const open = { events: { "m.room.power_levels": 0 }, users: { [bob]: 50 } };

interface Change {
  readonly before: Content;
  readonly after: Content;
  readonly creation?: Content;
}

/** A change by Bob from one content to another; both are laid over `open`, map by map. */
export function change(rule: string, verdict: Row["verdict"], says: string): (change: Change) => Row {
  return ({ before, after, creation }) => {
    const scene: Scene = { members, levels: over(before), ...(creation && { creation }) };
    return {
      rule,
      verdict,
      says,
      scene,
      event: { type: "m.room.power_levels", sender: bob, state_key: "", content: proposedLevels(after) },
    };
  };
}

function over(content: Content): Content {
  return {
    ...open,
    ...content,
    events: { ...open.events, ...(content.events as object) },
    users: { ...open.users, ...(content.users as object) },
  };
}

/** As `over`, but what is no map is left as it is, for the rule to refuse. */
function proposedLevels(content: Content): Content {
  const maps = ["events", "users"].filter((name) => Object.hasOwn(content, name));
  const malformed = maps.filter((name) => !isObject(content[name]));
  const kept = Object.entries(content).filter(([name]) => !malformed.includes(name));
  return { ...over(Object.fromEntries(kept)), ...Object.fromEntries(malformed.map((name) => [name, content[name]])) };
}
