-- Accounts, their signed-in devices, and what proves who somebody is. Of every token only the SHA-256 is kept. Times are the
-- database's, so that the clocks of replicas do not matter.

create table auth.accounts (
  user_id text primary key,
  -- In the PHC string format; null: nobody can sign in with a password.
  password_hash text,
  is_admin boolean not null default false,
  created_at timestamptz not null default now(),
  -- A deactivated account keeps its row, and so its name stays taken.
  deactivated_at timestamptz,
  -- The person asked for their content to be hidden from those who join later.
  erased boolean not null default false
);

-- A session is one signed-in device; it ends when the device is deleted. Signing in again with the same device id goes on
-- with the same session, so transaction ids keep their meaning.
create table auth.sessions (
  session_id bigint generated always as identity primary key,
  user_id text not null references auth.accounts,
  device_id text not null,
  display_name text,
  created_at timestamptz not null default now(),
  -- Written in batches, so it may be some minutes old.
  last_seen_at timestamptz not null default now(),
  last_seen_address text,
  unique (user_id, device_id)
);

-- One row for each access token, with its refresh token if the client asked for one.
--   fresh    given out by /refresh, not used yet: its predecessor is valid too, in case the answer was lost
--   used     the session's current pair
--   retired  its successor was used; kept, one generation deep, so that the client is told to sign in again softly
create table auth.tokens (
  access_hash bytea primary key,
  refresh_hash bytea unique,
  session_id bigint not null references auth.sessions on delete cascade,
  state text not null check (state in ('fresh', 'used', 'retired')),
  -- Of the access token; null: it does not expire.
  expires_at timestamptz
);
create index tokens_session on auth.tokens (session_id);

-- One-time tokens for POST /login with m.login.token.
create table auth.login_tokens (
  token_hash bytea primary key,
  user_id text not null references auth.accounts,
  expires_at timestamptz not null
);

create table auth.registration_tokens (
  token_hash bytea primary key,
  -- How often it may be used; null: any number of times.
  uses_allowed integer,
  uses integer not null default 0,
  -- Null: it does not expire.
  expires_at timestamptz,
  makes_admin boolean not null default false,
  created_at timestamptz not null default now()
);

-- User-interactive authentication that has begun: here, so that any replica can go on with it.
create table auth.interactive_sessions (
  id text primary key,
  -- Null while nobody is signed in.
  user_id text,
  -- The method and path that it is for.
  operation text not null,
  -- The completed stages, each with what it proved: {"m.login.dummy": ""}.
  completed jsonb not null default '{}',
  expires_at timestamptz not null
);
create index interactive_sessions_expiry on auth.interactive_sessions (expires_at);

-- Whether the token may still be used.
create function auth.registration_token_valid(t auth.registration_tokens) returns boolean
language sql stable as $$
  select (t.uses_allowed is null or t.uses < t.uses_allowed) and (t.expires_at is null or t.expires_at > now());
$$;

-- Makes an account and uses its registration token up, if it has one. Gives 'created', 'taken' or 'token'.
create function auth.create_account(p_user text, p_password_hash text, p_token_hash bytea) returns text
language plpgsql as $$
declare
  v_token auth.registration_tokens;
begin
  if p_token_hash is not null then
    select * into v_token from auth.registration_tokens where token_hash = p_token_hash for update;
    if not found or not auth.registration_token_valid(v_token) then return 'token'; end if;
  end if;
  insert into auth.accounts (user_id, password_hash, is_admin)
  values (p_user, p_password_hash, coalesce(v_token.makes_admin, false))
  on conflict do nothing;
  if not found then return 'taken'; end if;
  update auth.registration_tokens set uses = uses + 1 where token_hash = p_token_hash;
  return 'created';
end $$;

-- Signs a device in. No row comes back where the account is deactivated, or where its password is not p_password_hash any
-- more (null: not asked): a sign-in that raced a change of password must not outlive it. `ended` is the position of the
-- entry that ends the device's earlier tokens, if there were any; `is_new` says whether the session is.
create function auth.sign_in(
  p_user text, p_password_hash text, p_device text, p_display_name text, p_address text,
  p_access_hash bytea, p_refresh_hash bytea, p_lifetime_ms bigint
) returns table (ended bigint, is_new boolean)
language plpgsql as $$
#variable_conflict use_column
declare
  v_session bigint;
  v_new boolean;
  v_old integer;
begin
  perform 1 from auth.accounts
  where user_id = p_user and deactivated_at is null and (p_password_hash is null or password_hash = p_password_hash)
  for share;
  if not found then return; end if;
  insert into auth.sessions as s (user_id, device_id, display_name, last_seen_address)
  values (p_user, p_device, p_display_name, p_address)
  on conflict (user_id, device_id) do update set last_seen_at = now(), last_seen_address = p_address
  -- No transaction has ever locked or replaced a row that was just inserted.
  returning s.session_id, s.xmax = 0 into v_session, v_new;
  delete from auth.tokens where session_id = v_session;
  get diagnostics v_old = row_count;
  insert into auth.tokens (access_hash, refresh_hash, session_id, state, expires_at)
  values (p_access_hash, p_refresh_hash, v_session, 'used', now() + p_lifetime_ms * interval '1 millisecond');
  return query select
    case when v_old > 0 then log.append_one('session', p_user, p_device, 'ended', json_build_object('sessions', json_build_array(v_session))::text) end,
    v_new;
end $$;

-- The session of an access token, marking its first use: from then on the pair before it is retired.
create function auth.use_token(p_access_hash bytea)
returns table (session_id bigint, user_id text, device_id text, is_admin boolean, state text, left_ms double precision)
language plpgsql as $$
#variable_conflict use_column
declare
  v_session bigint;
begin
  select t.session_id into v_session from auth.tokens t where t.access_hash = p_access_hash and t.state = 'fresh';
  if found then
    -- Whoever changes tokens holds their session first, so that no two wait for each other.
    perform 1 from auth.sessions s where s.session_id = v_session for update;
    update auth.tokens set state = 'used' where access_hash = p_access_hash and state = 'fresh';
  end if;
  if found then
    delete from auth.tokens where session_id = v_session and state = 'retired';
    update auth.tokens set state = 'retired' where session_id = v_session and access_hash <> p_access_hash;
  end if;
  return query
    select s.session_id, s.user_id, s.device_id, a.is_admin, t.state, extract(epoch from t.expires_at - clock_timestamp())::double precision * 1000
    from auth.tokens t join auth.sessions s on s.session_id = t.session_id join auth.accounts a on a.user_id = s.user_id
    where t.access_hash = p_access_hash;
end $$;

-- Gives a new pair for a refresh token. 'refreshed', or 'retired' where a newer pair is in use already, or null where the
-- token is unknown. Using the pair's refresh token is using the pair.
create function auth.refresh(p_refresh_hash bytea, p_new_access bytea, p_new_refresh bytea, p_lifetime_ms bigint) returns text
language plpgsql as $$
declare
  v_token auth.tokens;
begin
  select * into v_token from auth.tokens where refresh_hash = p_refresh_hash;
  if not found then return null; end if;
  -- One refresh of a session at a time: two at once must not both retire the other's pair.
  perform 1 from auth.sessions where session_id = v_token.session_id for update;
  select * into v_token from auth.tokens where refresh_hash = p_refresh_hash;
  if not found or v_token.state = 'retired' then return 'retired'; end if;
  if v_token.state = 'fresh' then perform auth.use_token(v_token.access_hash); end if;
  -- Answers that were lost long ago.
  delete from auth.tokens where session_id = v_token.session_id and state = 'fresh' and expires_at < now();
  insert into auth.tokens (access_hash, refresh_hash, session_id, state, expires_at)
  values (p_new_access, p_new_refresh, v_token.session_id, 'fresh', now() + p_lifetime_ms * interval '1 millisecond');
  return 'refreshed';
end $$;

-- Ends sessions of one account: p_only (null: all) without p_except. Everyone who can see the devices, and every replica
-- that knows the tokens, is told through the log. Gives the ids of the devices that are gone, and the last entry's position.
create function auth.end_sessions(p_user text, p_only text[], p_except bigint) returns table (device_ids text[], "position" bigint)
language plpgsql as $$
declare
  v_devices text[];
  v_sessions bigint[];
  v_position bigint;
begin
  with gone as (
    delete from auth.sessions s
    where s.user_id = p_user and (p_only is null or s.device_id = any (p_only)) and (p_except is null or s.session_id <> p_except)
    returning s.device_id, s.session_id
  )
  select coalesce(array_agg(g.device_id), '{}'), array_agg(g.session_id) into v_devices, v_sessions from gone g;
  if v_sessions is not null then
    perform log.append_one('session', p_user, case when cardinality(v_devices) = 1 then v_devices[1] end, 'ended',
      json_build_object('sessions', v_sessions)::text);
    v_position := log.append_one('device_list', p_user, null, 'changed', '{}');
  end if;
  return query select v_devices, v_position;
end $$;

-- Renames a device; others see its name beside its keys. Null where there is no such device.
create function auth.rename_device(p_user text, p_device text, p_display_name text) returns bigint
language plpgsql as $$
begin
  update auth.sessions set display_name = p_display_name where user_id = p_user and device_id = p_device;
  if not found then return null; end if;
  return log.append_one('device_list', p_user, null, 'changed', '{}');
end $$;

-- Sets a password and ends all sessions but p_except (null: none ends). Gives what end_sessions gives.
create function auth.change_password(p_user text, p_password_hash text, p_except bigint)
returns table (device_ids text[], "position" bigint)
language plpgsql as $$
begin
  update auth.accounts set password_hash = p_password_hash where user_id = p_user and deactivated_at is null;
  if not found then raise exception 'there is no active account %', p_user; end if;
  delete from auth.login_tokens where user_id = p_user;
  if p_except is not null then return query select * from auth.end_sessions(p_user, null, p_except); end if;
end $$;

-- Ends the account for good: no password, no session, no way to sign in; its name stays taken.
create function auth.deactivate(p_user text, p_erase boolean) returns table (device_ids text[], "position" bigint)
language plpgsql as $$
begin
  update auth.accounts
  set deactivated_at = coalesce(deactivated_at, now()), password_hash = null, is_admin = false, erased = erased or p_erase
  where user_id = p_user;
  delete from auth.login_tokens where user_id = p_user;
  return query select * from auth.end_sessions(p_user, null, null);
end $$;
