-- compatible since: 0002
-- Accounts of guests: without a password, and with little that they may do. Specification: client-server-api, "Guest access".
alter table auth.accounts add column is_guest boolean not null default false;

-- Makes a guest's account an ordinary one. The outcome is created, taken where it is no guest's account any more, or token where the
-- registration token is not valid. Whoever knows its sessions in memory is told by an entry, whose position it gives.
create function auth.upgrade_guest(p_user text, p_password_hash text, p_token_hash bytea)
returns table (outcome text, "position" bigint)
language plpgsql as $$
declare
  v_token auth.registration_tokens;
  v_sessions bigint[];
begin
  if p_token_hash is not null then
    select * into v_token from auth.registration_tokens where token_hash = p_token_hash for update;
    if not found or not auth.registration_token_valid(v_token) then
      return query select 'token', null::bigint;
      return;
    end if;
  end if;
  update auth.accounts
  set password_hash = p_password_hash, is_guest = false, is_admin = coalesce(v_token.makes_admin, false)
  where user_id = p_user and is_guest and deactivated_at is null and suspended_at is null;
  if not found then
    return query select 'taken', null::bigint;
    return;
  end if;
  update auth.registration_tokens set uses = uses + 1 where token_hash = p_token_hash;
  select coalesce(array_agg(s.session_id), '{}') into v_sessions from auth.sessions s where s.user_id = p_user;
  return query select 'created',
    log.append_one('session', p_user, null, 'changed', json_build_object('sessions', v_sessions)::text);
end $$;
