/** What this domain has of a person: see person/section.ts. */
import { type Section, sectionOf, ts } from "../person/section.ts";

export const sections: readonly Section[] = [
  sectionOf({
    name: "account",
    about: "The account. Its password is kept only as a hash, which is of no use to anybody and left out.",
    schema: "auth",
    key: "user_id",
    record: `json_build_object('user_id', user_id, 'created_ts', ${ts("created_at")}, 'is_administrator', is_admin,
      'suspended_ts', ${ts("suspended_at")}, 'deactivated_ts', ${ts("deactivated_at")}, 'has_password', password_hash is not null)`,
    from: "auth.accounts where user_id = $1",
  }),
  sectionOf({
    name: "devices",
    about: "Signed-in devices: when and from which address each was seen last.",
    schema: "auth",
    key: "device_id",
    record: `json_build_object('device_id', device_id, 'display_name', display_name, 'created_ts', ${ts("created_at")},
      'last_seen_ts', ${ts("last_seen_at")}, 'last_seen_ip', last_seen_address)`,
    from: "auth.sessions where user_id = $1",
  }),
  sectionOf({
    name: "email_addresses",
    about: "E-mail addresses by which the person signs in or gets a new password.",
    schema: "auth",
    key: "address",
    record: `json_build_object('address', address, 'validated_ts', ${ts("validated_at")}, 'added_ts', ${ts("added_at")})`,
    from: "auth.third_party_ids where user_id = $1",
  }),
  sectionOf({
    name: "passkeys",
    about:
      "Passkeys with which the person signs in. Their keys are not the person's secret, and of no use elsewhere: they are left out.",
    schema: "auth",
    key: "encode(credential_id, 'hex')",
    record: `json_build_object('name', name, 'created_ts', ${ts("created_at")}, 'last_used_ts', ${ts("last_used_at")})`,
    from: "auth.passkeys where user_id = $1",
  }),
  sectionOf({
    name: "second_factor",
    about:
      "Codes from an app that are asked for after the password, and how many recovery codes are left. What makes them is left out.",
    schema: "auth",
    key: "user_id",
    record: `json_build_object('created_ts', ${ts("created_at")}, 'confirmed_ts', ${ts("confirmed_at")},
      'recovery_codes', (select count(*) from auth.recovery_codes r where r.user_id = t.user_id))`,
    from: "auth.totp_secrets t where user_id = $1",
  }),
  sectionOf({
    name: "accepted_policies",
    about: "Which policies of the server the person accepted when the account was made: the version, and when.",
    schema: "auth",
    key: "policy_id || ' ' || version",
    record: `json_build_object('policy_id', policy_id, 'version', version, 'accepted_ts', ${ts("accepted_at")})`,
    from: "auth.accepted_policies where user_id = $1",
  }),
  sectionOf({
    name: "external_ids",
    about: "By whom else the person signs in: the provider, and what it calls them.",
    schema: "auth",
    key: "issuer || ' ' || subject",
    record: `json_build_object('issuer', issuer, 'subject', subject, 'added_ts', ${ts("added_at")}, 'used_ts', ${ts("used_at")})`,
    from: "auth.external_ids where user_id = $1",
  }),
  sectionOf({
    name: "external_logins",
    about: "When a provider let the person in, as long as something is left of that.",
    schema: "auth",
    key: "lpad(login_id::text, 20, '0')",
    record: `json_build_object('issuer', issuer, 'subject', subject, 'created_ts', ${ts("created_at")}, 'ended_ts', ${ts("ended_at")})`,
    from: "auth.sso_logins where user_id = $1",
  }),
];
