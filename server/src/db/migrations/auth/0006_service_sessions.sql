-- compatible since: 0002
-- Whom application services act as without a device. Transaction ids belong to such a session, as they do to that of a device.
create table auth.service_sessions (
  service_id text not null,
  user_id text not null references auth.accounts,
  session_id bigint not null default nextval(pg_get_serial_sequence('auth.sessions', 'session_id')),
  primary key (service_id, user_id)
);

-- A device without a token, which its application service acts with. Says whether it is new; null where the account may not sign in.
create function auth.put_device(p_user text, p_device text, p_display_name text) returns boolean
language plpgsql as $$
declare
  v_new integer;
begin
  perform 1 from auth.accounts where user_id = p_user and deactivated_at is null and suspended_at is null for share;
  if not found then return null; end if;
  insert into auth.sessions (user_id, device_id, display_name) values (p_user, p_device, p_display_name) on conflict do nothing;
  get diagnostics v_new = row_count;
  return v_new > 0;
end $$;
