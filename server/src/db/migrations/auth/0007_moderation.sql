-- compatible since: 0002
-- The two states in which operators may put an account. Specification: client-server-api, "Account moderation".
--   suspended_at  what the specification calls locked: nobody signs in, and no request is answered but signing out. What operators call
--                 suspending ends the sessions too; locking leaves them, so that they go on when the lock is taken back.
--   read_only_at  what the specification calls suspended: its sessions read and go on, and do nothing that others notice.
alter table auth.accounts add column read_only_at timestamptz;

-- Sets the states of an active account; null leaves one as it is. Whoever knows its sessions in memory is told by an entry: `locked` ends
-- what waits, `changed` does not. Gives the entry's position, 0 where nobody is signed in, and null where there is no such account.
create function auth.moderate(p_user text, p_locked boolean, p_read_only boolean) returns bigint
language plpgsql as $$
declare
  v_sessions bigint[];
begin
  update auth.accounts
  set suspended_at = case when p_locked then coalesce(suspended_at, now()) when p_locked is null then suspended_at end,
    read_only_at = case when p_read_only then coalesce(read_only_at, now()) when p_read_only is null then read_only_at end
  where user_id = p_user and deactivated_at is null;
  if not found then return null; end if;
  if p_locked then delete from auth.login_tokens where user_id = p_user; end if;
  select array_agg(s.session_id) into v_sessions from (
    select session_id from auth.sessions where user_id = p_user
    union all select session_id from auth.service_sessions where user_id = p_user
  ) s;
  if v_sessions is null then return 0; end if;
  return log.append_one('session', p_user, null, case when p_locked then 'locked' else 'changed' end,
    json_build_object('sessions', v_sessions)::text);
end $$;
