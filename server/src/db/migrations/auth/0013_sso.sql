-- compatible since: 0002
-- Upstream single sign-on: who somebody is to a provider of OpenID Connect, sign-ins that go on, and what came of those that ended well, so that
-- the provider can end it. See server/src/auth/sso.

-- An account may have several, also of one provider; one of them is of one account.
create table auth.external_ids (
  issuer text not null,
  subject text not null,
  user_id text not null references auth.accounts,
  added_at timestamptz not null default now(),
  used_at timestamptz,
  primary key (issuer, subject)
);
create index external_ids_user on auth.external_ids (user_id);

-- Between two requests of one browser.
--   sent    the browser is with the provider; the id is the `state` of the request
--   proved  the provider has said who it is, and the person has to say something too: a user name, or yes
create table auth.sso_steps (
  id_hash bytea primary key,
  browser_hash bytea not null,
  kind text not null check (kind in ('sent', 'proved')),
  payload jsonb not null,
  expires_at timestamptz not null
);
create index sso_steps_expiry on auth.sso_steps (expires_at);

-- One for each time that a provider let somebody in. What came of it names it: a browser's session, a login token, a grant, and at last the
-- sessions of devices. When the provider ends it, all of that goes, and what is under way comes to nothing.
create table auth.sso_logins (
  login_id bigint generated always as identity primary key,
  user_id text not null references auth.accounts,
  issuer text not null,
  client_id text not null,
  subject text not null,
  -- The provider's own name for its session.
  sid text,
  created_at timestamptz not null default now(),
  ended_at timestamptz
);
create index sso_logins_subject on auth.sso_logins (issuer, client_id, subject);
create index sso_logins_sid on auth.sso_logins (issuer, client_id, sid) where sid is not null;
create index sso_logins_user on auth.sso_logins (user_id);
create index sso_logins_age on auth.sso_logins (created_at);

alter table auth.browser_sessions add column sso_login bigint references auth.sso_logins on delete cascade;
create index browser_sessions_sso on auth.browser_sessions (sso_login) where sso_login is not null;
alter table auth.login_tokens add column sso_login bigint references auth.sso_logins on delete cascade;
create index login_tokens_sso on auth.login_tokens (sso_login) where sso_login is not null;

create table auth.sso_grants (
  grant_id text primary key,
  login_id bigint not null references auth.sso_logins on delete cascade
);
create index sso_grants_login on auth.sso_grants (login_id);

create table auth.sso_sessions (
  session_id bigint primary key references auth.sessions on delete cascade,
  login_id bigint not null references auth.sso_logins on delete cascade
);
create index sso_sessions_login on auth.sso_sessions (login_id);

-- Logout tokens that were used: each counts once.
create table auth.sso_logout_tokens (
  issuer text not null,
  id_hash bytea not null,
  expires_at timestamptz not null,
  primary key (issuer, id_hash)
);
create index sso_logout_tokens_expiry on auth.sso_logout_tokens (expires_at);

-- Makes an account for somebody whom a provider knows: without a password. Gives 'created', 'taken' where the name is somebody's, or 'known' where
-- the person has an account by now.
create function auth.create_external_account(p_user text, p_issuer text, p_subject text) returns text
language plpgsql as $$
begin
  insert into auth.accounts (user_id) values (p_user) on conflict do nothing;
  if not found then return 'taken'; end if;
  insert into auth.external_ids (issuer, subject, user_id, used_at) values (p_issuer, p_subject, p_user, now()) on conflict do nothing;
  if found then return 'created'; end if;
  delete from auth.accounts where user_id = p_user;
  return 'known';
end $$;

-- The session of a device is from now on that of p_login, or of none (null). False where the provider has ended p_login: the session must go too.
-- The row of the login is held: an end that comes at the same moment sees the session, or the session sees the end.
create function auth.sso_attach(p_user text, p_device text, p_login bigint) returns boolean
language plpgsql as $$
declare
  v_session bigint;
begin
  select s.session_id into v_session from auth.sessions s where s.user_id = p_user and s.device_id = p_device;
  delete from auth.sso_sessions where session_id = v_session;
  if p_login is null then return true; end if;
  perform 1 from auth.sso_logins where login_id = p_login and ended_at is null for share;
  if not found then return false; end if;
  insert into auth.sso_sessions (session_id, login_id) values (v_session, p_login);
  return true;
end $$;

-- Ends what came of sign-ins by a provider: those of a subject, of a session of the provider's (p_sid), or of both; null is any. A token that was
-- used before gives one row with 'replayed' and changes nothing. Otherwise one row for each account with what end_sessions gives.
create function auth.sso_end(p_issuer text, p_client text, p_subject text, p_sid text, p_token_hash bytea, p_kept_ms bigint)
returns table (outcome text, user_id text, device_ids text[], "position" bigint)
language plpgsql as $$
#variable_conflict use_column
declare
  v_logins bigint[];
  v_user text;
begin
  insert into auth.sso_logout_tokens (issuer, id_hash, expires_at)
  values (p_issuer, p_token_hash, now() + p_kept_ms * interval '1 millisecond') on conflict do nothing;
  if not found then
    return query select 'replayed', null::text, null::text[], null::bigint;
    return;
  end if;
  with ended as (
    update auth.sso_logins set ended_at = coalesce(ended_at, now())
    where issuer = p_issuer and client_id = p_client and (p_subject is null or subject = p_subject) and (p_sid is null or sid = p_sid)
    returning login_id
  )
  select coalesce(array_agg(login_id), '{}') into v_logins from ended;
  delete from auth.browser_sessions where sso_login = any (v_logins);
  delete from auth.login_tokens where sso_login = any (v_logins);
  delete from auth.oauth_state where grant_id in (select g.grant_id from auth.sso_grants g where g.login_id = any (v_logins));
  for v_user in
    select distinct s.user_id from auth.sso_sessions x join auth.sessions s on s.session_id = x.session_id
    where x.login_id = any (v_logins) order by 1
  loop
    return query select 'ended', v_user, e.device_ids, e.position from auth.end_sessions(v_user, array(
      select s.device_id from auth.sso_sessions x join auth.sessions s on s.session_id = x.session_id
      where x.login_id = any (v_logins) and s.user_id = v_user
    ), null) e;
  end loop;
end $$;
