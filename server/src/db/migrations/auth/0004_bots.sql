-- compatible since: 0002
-- What a registration token is for and who made it, for operators.
alter table auth.registration_tokens add column note text;
alter table auth.registration_tokens add column created_by text;

-- What a session may do, for tokens of bots; null: everything that its account may. See server/src/bots/scopes.ts. Such a session has
-- no refresh tokens. Code that does not know of scopes finds none of these tokens: see server/src/auth/tokens.ts.
alter table auth.sessions add column scopes text[];
alter table auth.tokens add column created_at timestamptz not null default now();

-- A session with scopes and its first token. Gives the session's id, and null where the account is not one that may sign in.
create function auth.issue_token(p_user text, p_device text, p_name text, p_scopes text[], p_access_hash bytea, p_lifetime_ms bigint)
returns bigint
language plpgsql as $$
declare
  v_session bigint;
begin
  perform 1 from auth.accounts where user_id = p_user and deactivated_at is null and suspended_at is null for share;
  if not found then return null; end if;
  insert into auth.sessions (user_id, device_id, display_name, scopes) values (p_user, p_device, p_name, p_scopes)
  returning session_id into v_session;
  insert into auth.tokens (access_hash, session_id, state, expires_at)
  values (p_access_hash, v_session, 'used', now() + p_lifetime_ms * interval '1 millisecond');
  return v_session;
end $$;

-- A new token for a session with scopes. The others end after the overlap, and at once where it is 0: then whoever knows them in
-- memory is told by the entry whose position comes back. False in `found` where there is no such session.
create function auth.rotate_token(p_user text, p_device text, p_access_hash bytea, p_overlap_ms bigint, p_lifetime_ms bigint)
returns table (is_known boolean, ended bigint)
language plpgsql as $$
declare
  v_session bigint;
begin
  select s.session_id into v_session from auth.sessions s
  where s.user_id = p_user and s.device_id = p_device and s.scopes is not null for update;
  if not found then return query select false, null::bigint; return; end if;
  if p_overlap_ms = 0 then
    delete from auth.tokens t where t.session_id = v_session;
  else
    delete from auth.tokens t where t.session_id = v_session and t.expires_at < now();
    update auth.tokens t set expires_at = least(coalesce(t.expires_at, 'infinity'), now() + p_overlap_ms * interval '1 millisecond')
    where t.session_id = v_session;
  end if;
  insert into auth.tokens (access_hash, session_id, state, expires_at)
  values (p_access_hash, v_session, 'used', now() + p_lifetime_ms * interval '1 millisecond');
  return query select true, case when p_overlap_ms = 0 then
    log.append_one('session', p_user, p_device, 'ended', json_build_object('sessions', json_build_array(v_session))::text) end;
end $$;

-- As in 0003, and a device that signs in again begins anew: its age is that of this sign-in.
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
  on conflict (user_id, device_id) do update set created_at = now(), last_seen_at = now(), last_seen_address = p_address
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
