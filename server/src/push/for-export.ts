/** What this domain has of a person: see person/section.ts. Pushers go with their sessions. */
import { type Section, sectionOf } from "../person/section.ts";

export const sections: readonly Section[] = [
  sectionOf({
    name: "pushers",
    about: "Where notifications of devices are sent to.",
    schema: "push",
    key: "lpad(pusher_id::text, 19, '0')",
    record: `json_build_object('kind', kind, 'app_id', app_id, 'pushkey', pushkey, 'app_display_name', app_display_name,
      'device_display_name', device_display_name, 'profile_tag', profile_tag, 'lang', lang, 'data', data::json)`,
    from: "push.pushers where user_id = $1",
  }),
];
