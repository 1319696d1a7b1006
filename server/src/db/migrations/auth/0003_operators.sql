-- compatible since: 0002
-- What operators do with accounts: suspending one ends its sessions and lets nobody sign in until it is taken back.
alter table auth.accounts add column suspended_at timestamptz;
-- How often all sessions of the account were ended: a session of the console that began under another number is over too.
alter table auth.accounts add column session_endings integer not null default 0;

create index if not exists accounts_created on auth.accounts (created_at, user_id);
create index if not exists accounts_suspended on auth.accounts (user_id) where suspended_at is not null;
create index if not exists accounts_deactivated on auth.accounts (user_id) where deactivated_at is not null;
create index if not exists accounts_admins on auth.accounts (user_id) where is_admin;
create index if not exists sessions_last_seen on auth.sessions (last_seen_at, session_id);

-- As in 0001, and the account is not suspended.
create or replace function auth.sign_in(
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
  where user_id = p_user and deactivated_at is null and suspended_at is null
    and (p_password_hash is null or password_hash = p_password_hash)
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

-- As in 0001, and whoever ends all sessions ends those of the console with them.
create or replace function auth.end_sessions(p_user text, p_only text[], p_except bigint) returns table (device_ids text[], "position" bigint)
language plpgsql as $$
declare
  v_devices text[];
  v_sessions bigint[];
  v_position bigint;
begin
  if p_only is null then
    update auth.accounts set session_endings = session_endings + 1 where user_id = p_user;
  end if;
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

-- Suspends an active account and ends its sessions. Gives what end_sessions gives; no row where there is no such account.
create function auth.suspend(p_user text) returns table (device_ids text[], "position" bigint)
language plpgsql as $$
begin
  update auth.accounts set suspended_at = coalesce(suspended_at, now())
  where user_id = p_user and deactivated_at is null;
  if not found then return; end if;
  delete from auth.login_tokens where user_id = p_user;
  return query select * from auth.end_sessions(p_user, null, null);
end $$;
