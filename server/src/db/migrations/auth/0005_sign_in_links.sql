-- compatible since: 0002
-- One-time links by which a person sets a password: for a new account, and where operators have reset the way in.
create table auth.sign_in_links (
  token_hash bytea primary key,
  user_id text not null references auth.accounts,
  expires_at timestamptz not null
);
create index sign_in_links_user on auth.sign_in_links (user_id);

-- Takes every way in from an active account: its password, its links, and its sessions. Gives what end_sessions gives; no row
-- where there is no such account.
create function auth.reset_sign_in(p_user text) returns table (device_ids text[], "position" bigint)
language plpgsql as $$
begin
  update auth.accounts set password_hash = null where user_id = p_user and deactivated_at is null;
  if not found then return; end if;
  delete from auth.login_tokens where user_id = p_user;
  delete from auth.sign_in_links where user_id = p_user;
  return query select * from auth.end_sessions(p_user, null, null);
end $$;

-- Sets the password of the account that a link is for, and uses up all of its links. Gives whose it is; null where there is no such link.
create function auth.use_sign_in_link(p_token_hash bytea, p_password_hash text) returns text
language plpgsql as $$
declare
  v_user text;
begin
  delete from auth.sign_in_links where token_hash = p_token_hash and expires_at > now() returning user_id into v_user;
  if not found then return null; end if;
  delete from auth.sign_in_links where user_id = v_user;
  update auth.accounts set password_hash = p_password_hash where user_id = v_user and deactivated_at is null;
  if not found then return null; end if;
  return v_user;
end $$;
