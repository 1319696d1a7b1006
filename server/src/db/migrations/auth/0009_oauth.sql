-- compatible since: 0002
-- The OAuth 2.0 API: who may ask for a way in, what the authorisation server has to remember between two requests, and the sessions
-- that came about so. Everything is here, so that any replica goes on with what another one began.

create table auth.oauth_clients (
  client_id text primary key,
  -- As registered, checked and completed.
  metadata jsonb not null,
  -- Of the metadata: whoever registers the same is the same client.
  digest bytea not null unique,
  created_at timestamptz not null default now(),
  -- When it was registered last. A client without a session that nobody registered for long is forgotten.
  used_at timestamptz not null default now()
);
create index oauth_clients_used on auth.oauth_clients (used_at);

-- Codes, device codes, grants and sign-ins that go on. Of what opens something only the SHA-256 is kept.
create table auth.oauth_state (
  kind text not null,
  id_hash bytea not null,
  payload jsonb not null,
  grant_id text,
  -- Of a device code: what the person types.
  user_code text unique,
  consumed_at timestamptz,
  expires_at timestamptz not null,
  primary key (kind, id_hash)
);
create index oauth_state_expiry on auth.oauth_state (expires_at);
create index oauth_state_grant on auth.oauth_state (grant_id) where grant_id is not null;

-- The sessions that the OAuth 2.0 API made. Their tokens are in auth.tokens, as everybody's.
create table auth.oauth_sessions (
  session_id bigint primary key references auth.sessions on delete cascade,
  client_id text not null references auth.oauth_clients,
  -- What the person allowed: whoever uses its code twice ends the session.
  grant_id text not null unique,
  scope text not null,
  -- A part that all refresh tokens of the session have: one that is of the session and not valid any more was stolen, or is the thief's.
  family_hash bytea not null unique
);
create index oauth_sessions_client on auth.oauth_sessions (client_id);

-- Who a browser is, for the pages of the authorisation server. It is over when all sessions of the account were ended: the number differs then.
create table auth.browser_sessions (
  id_hash bytea primary key,
  user_id text not null references auth.accounts,
  session_endings integer not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index browser_sessions_expiry on auth.browser_sessions (expires_at);
create index browser_sessions_user on auth.browser_sessions (user_id);

-- What a person has allowed on the account page for a moment, such as new cross-signing keys.
create table auth.oauth_approvals (
  user_id text not null references auth.accounts,
  action text not null,
  expires_at timestamptz not null,
  primary key (user_id, action)
);

-- The ring of keys that sign access tokens. A key is published when it is made, signs from `signs_from` until the next one does, and goes
-- when nothing that it signed is valid any more.
create table auth.signing_keys (
  kid text primary key,
  -- PKCS 8; wrapped with a master key where there are any.
  private_key bytea not null,
  public_key jsonb not null,
  signs_from timestamptz not null
);
create index signing_keys_order on auth.signing_keys (signs_from);

-- A session of the OAuth 2.0 API: the device signs in as with auth.sign_in, whose answer this gives.
create function auth.oauth_sign_in(
  p_user text, p_device text, p_display_name text, p_address text, p_access_hash bytea, p_refresh_hash bytea, p_lifetime_ms bigint,
  p_client text, p_grant text, p_scope text, p_family_hash bytea
) returns table (ended bigint, is_new boolean)
language plpgsql as $$
#variable_conflict use_column
declare
  v_signed record;
begin
  select s.ended, s.is_new into v_signed
  from auth.sign_in(p_user, null, p_device, p_display_name, p_address, p_access_hash, p_refresh_hash, p_lifetime_ms) s;
  if not found then return; end if;
  insert into auth.oauth_sessions (session_id, client_id, grant_id, scope, family_hash)
  select s.session_id, p_client, p_grant, p_scope, p_family_hash from auth.sessions s where s.user_id = p_user and s.device_id = p_device
  on conflict (session_id) do update
    set client_id = excluded.client_id, grant_id = excluded.grant_id, scope = excluded.scope, family_hash = excluded.family_hash;
  return query select v_signed.ended, v_signed.is_new;
end $$;

-- A device that signed in by the legacy API has no session of the OAuth 2.0 API any more.
create function auth.leave_oauth(p_user text, p_device text) returns void
language sql as $$
  delete from auth.oauth_sessions o using auth.sessions s
  where s.session_id = o.session_id and s.user_id = p_user and s.device_id = p_device;
$$;

-- Adds a key to the ring where it is time for one: there is none that will sign later, and the newest has signed for p_lifetime_ms.
-- The first signs at once, each other one after p_overlap_ms. What signed nothing that is valid any more goes. Gives whether it was added.
create function auth.add_signing_key(p_kid text, p_private bytea, p_public jsonb, p_lifetime_ms bigint, p_overlap_ms bigint, p_kept_ms bigint)
returns boolean
language plpgsql as $$
declare
  v_newest timestamptz;
begin
  -- One at a time: two replicas must not both find that it is time.
  perform pg_advisory_xact_lock(hashtext('auth.signing_keys'));
  delete from auth.signing_keys k where exists (
    select 1 from auth.signing_keys later
    where later.signs_from > k.signs_from and later.signs_from < now() - p_kept_ms * interval '1 millisecond');
  select max(signs_from) into v_newest from auth.signing_keys;
  if v_newest > now() - p_lifetime_ms * interval '1 millisecond' then return false; end if;
  insert into auth.signing_keys (kid, private_key, public_key, signs_from)
  values (p_kid, p_private, p_public, case when v_newest is null then now() else now() + p_overlap_ms * interval '1 millisecond' end);
  return true;
end $$;
