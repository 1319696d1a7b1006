/** What this domain has of a person: see person/section.ts. */
import { type Section, sectionOf } from "../person/section.ts";

export const sections: readonly Section[] = [
  sectionOf({
    name: "device_keys",
    about: "Public keys of devices.",
    schema: "keys",
    key: "device_id",
    record: "keys::json",
    from: "keys.devices where user_id = $1",
  }),
  sectionOf({
    name: "cross_signing_keys",
    about: "Public keys of the person, with which devices are verified.",
    schema: "keys",
    key: "usage",
    record: "json_build_object('usage', usage, 'key', keys::json)",
    from: "keys.cross_signing where user_id = $1",
  }),
  sectionOf({
    name: "signatures",
    about: "Signatures of the person on keys of others, and of others on theirs.",
    schema: "keys",
    key: "user_id || ' ' || target || ' ' || signer || ' ' || signer_key",
    record: `json_build_object('user_id', user_id, 'target', target, 'signer', signer, 'signer_key', signer_key, 'signature', signature)`,
    from: "keys.signatures where (user_id = $1 or signer = $1)",
  }),
  sectionOf({
    name: "dehydrated_devices",
    about: "A device that takes messages while no other is there, encrypted with a key that the server does not have.",
    schema: "keys",
    key: "device_id",
    record: "json_build_object('device_id', device_id, 'display_name', display_name, 'device_data', device_data::json)",
    from: "keys.dehydrated_devices where user_id = $1",
  }),
  sectionOf({
    name: "key_backups",
    about: "Backups of message keys.",
    schema: "keys",
    key: "lpad(version::text, 19, '0')",
    record: `json_build_object('version', version::text, 'algorithm', algorithm, 'auth_data', auth_data::json, 'deleted', deleted)`,
    from: "keys.backups where user_id = $1",
  }),
  sectionOf({
    name: "key_backup_keys",
    about: "The keys in them, encrypted with the person's recovery key, which the server does not have.",
    schema: "keys",
    key: "lpad(version::text, 19, '0') || ' ' || room_id || ' ' || session_id",
    record: `json_build_object('version', version::text, 'room_id', room_id, 'session_id', session_id,
      'is_verified', is_verified, 'first_message_index', first_message_index, 'forwarded_count', forwarded_count,
      'session_data', session_data::json)`,
    from: "keys.backup_keys where user_id = $1",
  }),
];
