/** Redaction. Specification: the room versions, "Redactions". */
import { isObject } from "./event.ts";
import type { Content, ProposedEvent, RoomEvent, RoomStateView } from "./event.ts";
import { powerOf, requiredFor } from "./power.ts";
import { ALLOWED, refuse } from "./verdict.ts";
import type { Verdict } from "./verdict.ts";
import type { RoomVersion } from "./versions.ts";

/**
 * The event as everyone sees it after its redaction: a new object with nothing but what the room needs to go on working.
 * Redacting twice gives the same. `redacted_because` belongs into `unsigned`, and is the caller's.
 */
export function redact(event: RoomEvent, version: RoomVersion): RoomEvent {
  const { event_id, room_id, type, sender, state_key, origin_server_ts } = event;
  const content = redactContent(event, version);
  const kept = { event_id, room_id, type, sender, origin_server_ts, content };
  return state_key === undefined ? kept : { ...kept, state_key };
}

function redactContent({ type, content }: RoomEvent, { keptByRedaction, keepsCreateWhole }: RoomVersion): Content {
  if (type === "m.room.create" && keepsCreateWhole) return content;
  const kept: Record<string, unknown> = {};
  for (const key of keptByRedaction.get(type) ?? []) if (Object.hasOwn(content, key)) kept[key] = content[key];
  if (type === "m.room.member" && keepsCreateWhole && isObject(content.third_party_invite)) {
    const { third_party_invite: invite } = content;
    kept.third_party_invite = Object.hasOwn(invite, "signed") ? { signed: invite.signed } : {};
  }
  return kept;
}

/** The event that a redaction names. It stands in the content, in older rooms too: so clients send it, and so it is told. */
export function redactsOf(event: ProposedEvent): string | undefined {
  const { redacts } = event.content;
  return typeof redacts === "string" ? redacts : undefined;
}

/**
 * Whether a redaction, which has passed the rules for its own type, may be applied to `target`: to the sender's own
 * event always, to another's with the redact level. The specification lets a server's users redact each other so that
 * servers can trust one another; with one server that would be everyone, so the client-server-api's rule stands here.
 * `target` is undefined when the room has no such event.
 */
export function authoriseRedaction(state: RoomStateView, event: ProposedEvent, target?: RoomEvent): Verdict {
  const redacts = redactsOf(event);
  if (redacts === undefined) return refuse("redaction", "A redaction names an event in content.redacts.", "M_BAD_JSON");
  if (target === undefined || target.event_id !== redacts || target.room_id !== event.room_id) {
    return refuse("redaction", "There is no such event in this room.", "M_NOT_FOUND");
  }
  if (target.sender === event.sender) return ALLOWED;
  if (powerOf(state, event.sender) >= requiredFor(state, "redact")) return ALLOWED;
  return refuse("redaction", "You do not have the power to redact the events of others in this room.");
}
