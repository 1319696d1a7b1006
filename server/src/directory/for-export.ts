/** What this domain has of a person: see person/section.ts. */
import type { Context } from "../context.ts";
import { type Section, sectionOf, ts } from "../person/section.ts";

export const sections: readonly Section[] = [
  sectionOf({
    name: "aliases",
    about: "Addresses of rooms that the person has made.",
    schema: "rooms",
    key: "alias",
    record: `json_build_object('alias', alias, 'room_id', room_id, 'created_ts', ${ts("created_at")})`,
    from: "rooms.aliases where creator = $1",
  }),
  sectionOf({
    name: "reports",
    about: "What the person has reported.",
    schema: "rooms",
    key: "lpad(report_id::text, 19, '0')",
    record: `json_build_object('reported_ts', ${ts("reported_at")}, 'room_id', room_id, 'event_id', event_id,
      'user_id', user_id, 'reason', reason)`,
    from: "rooms.reports where reporter = $1",
  }),
  sectionOf({
    name: "delayed_events",
    about: "Events that are to be sent later.",
    schema: "rooms",
    key: "delay_id",
    record: `json_build_object('room_id', room_id, 'type', type, 'state_key', state_key, 'send_ts', ${ts("send_at")},
      'ended_ts', ${ts("ended_at")}, 'content', nullif(content, '')::json)`,
    from: "rooms.delayed_events where user_id = $1",
  }),
];

/** Addresses stay, for those who use them; nobody has made them. Reports stay, for those who look into them, without words and reporter. */
export async function eraseOwn(ctx: Context, userId: string): Promise<void> {
  await ctx.db.rooms.change("update rooms.aliases set creator = '' where creator = $1", [userId]);
  await ctx.db.rooms.change("delete from rooms.delayed_events where user_id = $1", [userId]);
  await ctx.db.rooms.change("delete from rooms.notices where user_id = $1", [userId]);
  await ctx.db.rooms.change("update rooms.reports set reporter = '', reason = '' where reporter = $1", [userId]);
}
