-- compatible since: 0002
-- Passkeys, codes from an app (TOTP), and recovery codes: what signs somebody in besides a password, or after it.

create table auth.passkeys (
  credential_id bytea primary key,
  user_id text not null references auth.accounts,
  -- COSE, as the authenticator gave it.
  public_key bytea not null,
  -- How often the authenticator says that it was used: never less than before. Those that sync stay at 0.
  counter bigint not null,
  -- How browsers reach it, in the words of WebAuthn.
  transports text[] not null,
  name text not null,
  created_at timestamptz not null default now(),
  last_used_at timestamptz
);
create index passkeys_user on auth.passkeys (user_id, created_at);

-- What a passkey is to sign. Each is used once, by the browser that asked for it.
create table auth.passkey_challenges (
  challenge_hash bytea primary key,
  -- The SHA-256 of a cookie of that browser.
  browser_hash bytea not null,
  expires_at timestamptz not null
);
create index passkey_challenges_expiry on auth.passkey_challenges (expires_at);

-- The secret that an app on the person's phone makes codes of, wrapped with a master key.
create table auth.totp_secrets (
  user_id text primary key references auth.accounts,
  wrapped bytea not null,
  -- Null until the person has typed a code of it: until then it protects nothing.
  confirmed_at timestamptz,
  -- The step of the newest code that was taken: neither it nor one before it is taken again.
  last_step bigint not null default 0,
  created_at timestamptz not null default now()
);

create table auth.recovery_codes (
  user_id text not null references auth.accounts,
  code_hash bytea not null,
  primary key (user_id, code_hash)
);

-- Browsers in which somebody gave the right password, and not the code yet.
create table auth.half_sign_ins (
  id_hash bytea primary key,
  user_id text not null references auth.accounts,
  -- As in auth.browser_sessions.
  session_endings integer not null,
  expires_at timestamptz not null
);
create index half_sign_ins_expiry on auth.half_sign_ins (expires_at);
create index half_sign_ins_user on auth.half_sign_ins (user_id);
