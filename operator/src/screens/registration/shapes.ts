/** What operators decide about registering and signing in (server/src/auth/operations-registration.ts). */

export interface Setting<T> {
  value: T;
  set: T | null;
  default: T;
  limit: T | null;
  set_by: string | null;
  set_ts: number | null;
}

export interface SignInSettings {
  registration: Setting<string>;
  password_least_characters: Setting<number>;
  access_token_lifetime_s: Setting<number>;
  session_idle_days: Setting<number | null>;
  session_days: Setting<number | null>;
}

/** The ways in besides a password (server/src/auth/operations-ways.ts). */
export interface SignInWays {
  passkeys_at: string | null;
  people_with_passkeys: number;
  codes: boolean;
  people_with_codes: number;
  operators_second_factor: "off" | "required";
  console_idle_s: number;
  console_session_s: number;
  console_confirm_s: number;
  console_sessions_in: string;
}

export interface RegistrationToken {
  token_id: string;
  note: string | null;
  created_by: string | null;
  created_ts: number;
  expires_ts: number | null;
  uses: number;
  uses_allowed: number | null;
  makes_admin: boolean;
  is_valid: boolean;
}

export interface MadeToken {
  token_id: string;
  token: string;
  link: string;
  uses_allowed: number;
  expires_in_s: number;
}

/** Provisioning by directories (server/src/scim/operations.ts). */
export interface Provisioning {
  address: string;
  people: number;
  last_request_ts: number | null;
  last_change_ts: number | null;
  providers: { id: string; name: string }[];
}

export interface DirectoryToken {
  token_id: string;
  name: string;
  provider: string | null;
  created_by: string;
  created_ts: number;
  last_used_ts: number | null;
  last_used_address: string | null;
}

export interface MadeDirectoryToken extends DirectoryToken {
  token: string;
  address: string;
}

export interface RefusedRequest {
  error_id: number;
  time_ts: number;
  token_name: string;
  method: string;
  path: string;
  status: number;
  detail: string;
}

/** A provider by whom people sign in (server/src/auth/sso/operations.ts). */
export interface Provider {
  id: string;
  name: string;
  issuer: string;
  client_id: string;
  redirect_uri: string;
  logout_uri: string;
  new_accounts: boolean;
  link_by_verified_email: boolean;
  email_domains: string[];
}

export interface Providers {
  items: Provider[];
  /** The addresses of one that is not set yet, with {id} for its id. */
  new: { redirect_uri: string; logout_uri: string };
}

export interface Trial {
  ok: boolean;
  checks: { what: string; ok: boolean; says: string }[];
}
