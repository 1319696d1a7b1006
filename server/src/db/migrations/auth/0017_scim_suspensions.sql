-- compatible since: 0002
-- What a directory says of an account, and whether it lets the person in, are written down in one statement, on top of what the directory was told
-- before. Whoever else suspends the account has a say in its end. See server/src/scim.

-- Counts what directories have said of the account.
alter table auth.scim_people add column version bigint not null default 1;

-- As in 0016. An account that has ended keeps its provider's id so that nobody makes a second one by it; the directory may, for who comes back.
create or replace function auth.scim_link(p_user text, p_issuer text, p_former text, p_external text) returns void
language plpgsql as $$
declare
  v_issuers text[] := array[rtrim(p_issuer, '/'), rtrim(p_issuer, '/') || '/'];
  v_owner text;
begin
  delete from auth.external_ids
  where issuer = any (v_issuers) and subject = p_former and user_id = p_user and p_former is distinct from p_external;
  if p_issuer is null or p_external is null then return; end if;
  delete from auth.external_ids e using auth.accounts a
  where e.issuer = any (v_issuers) and e.subject = p_external and a.user_id = e.user_id and a.deactivated_at is not null;
  select user_id into v_owner from auth.external_ids where issuer = any (v_issuers) and subject = p_external order by added_at limit 1;
  if v_owner is null then
    insert into auth.external_ids (issuer, subject, user_id) values (p_issuer, p_external, p_user);
  elsif v_owner <> p_user then
    raise unique_violation using constraint = 'external_ids_pkey';
  end if;
end $$;

-- Accounts that ended without their directory: their userName and externalId are free.
create function auth.scim_free(p_user_name text, p_external text) returns void
language sql as $$
  update auth.scim_people p set removed_at = now()
  from auth.accounts a
  where (lower(p.user_name) = lower(p_user_name) or p.external_id = p_external) and p.removed_at is null
    and a.user_id = p.user_id and a.deactivated_at is not null
$$;

-- As in 0016.
create or replace function auth.scim_create(
  p_user text, p_user_name text, p_external text, p_described text, p_by text, p_issuer text
) returns text
language plpgsql as $$
declare
  v_constraint text;
begin
  insert into auth.accounts (user_id) values (p_user) on conflict do nothing;
  if not found then return 'taken'; end if;
  perform auth.scim_free(p_user_name, p_external);
  insert into auth.scim_people (user_id, user_name, external_id, described, said_by)
  values (p_user, p_user_name, p_external, p_described, p_by);
  perform auth.scim_link(p_user, p_issuer, null, p_external);
  return 'done';
exception when unique_violation then
  get stacked diagnostics v_constraint = constraint_name;
  return v_constraint;
end $$;

-- Keeps what the directory says of an account of which it was told p_version (null: of which no directory has said anything), and suspends it or
-- lets the person in again. Who was suspended by somebody else stays so. The outcome is 'done', 'gone' where the account has ended, 'stale'
-- where another request was faster, or the constraint by which something is another account's; then nothing has changed. The rest is what
-- end_sessions gives.
create function auth.scim_keep(
  p_user text, p_user_name text, p_external text, p_described text, p_by text, p_issuer text, p_version bigint, p_active boolean
) returns table (outcome text, device_ids text[], "position" bigint)
language plpgsql as $$
declare
  v_suspended timestamptz;
  v_former auth.scim_people;
begin
  select a.suspended_at into v_suspended from auth.accounts a where a.user_id = p_user and a.deactivated_at is null for update;
  if not found then return query select 'gone', '{}'::text[], null::bigint; return; end if;
  select * into v_former from auth.scim_people p where p.user_id = p_user and p.removed_at is null;
  if v_former.version is distinct from p_version then return query select 'stale', '{}'::text[], null::bigint; return; end if;
  perform auth.scim_free(p_user_name, p_external);
  insert into auth.scim_people as p (user_id, user_name, external_id, described, said_by)
  values (p_user, p_user_name, p_external, p_described, p_by)
  on conflict (user_id) do update set user_name = excluded.user_name, external_id = excluded.external_id,
    described = excluded.described, said_by = excluded.said_by, changed_at = now(), removed_at = null, version = p.version + 1;
  perform auth.scim_link(p_user, p_issuer, v_former.external_id, p_external);
  if not p_active and v_suspended is null then
    update auth.accounts a set suspended_at = now() where a.user_id = p_user;
    update auth.scim_people p set suspended_at = now() where p.user_id = p_user;
    delete from auth.login_tokens t where t.user_id = p_user;
    return query select 'done', e.device_ids, e."position" from auth.end_sessions(p_user, null, null) e;
  elsif p_active and v_suspended = v_former.suspended_at then
    return query select 'done', '{}'::text[], auth.moderate(p_user, false, null);
  else
    return query select 'done', '{}'::text[], null::bigint;
  end if;
exception when unique_violation then
  get stacked diagnostics outcome = constraint_name;
  device_ids := '{}';
  "position" := null;
  return next;
end $$;

-- As in 0003 and 0007. Who suspends an account that a directory has suspended already decides by that when it ends.
create or replace function auth.suspend(p_user text) returns table (device_ids text[], "position" bigint)
language plpgsql as $$
begin
  update auth.accounts set suspended_at = coalesce(suspended_at, now())
  where user_id = p_user and deactivated_at is null;
  if not found then return; end if;
  update auth.scim_people set suspended_at = null where user_id = p_user and suspended_at is not null;
  delete from auth.login_tokens where user_id = p_user;
  return query select * from auth.end_sessions(p_user, null, null);
end $$;

create or replace function auth.moderate(p_user text, p_locked boolean, p_read_only boolean) returns bigint
language plpgsql as $$
declare
  v_sessions bigint[];
begin
  update auth.accounts
  set suspended_at = case when p_locked then coalesce(suspended_at, now()) when p_locked is null then suspended_at end,
    read_only_at = case when p_read_only then coalesce(read_only_at, now()) when p_read_only is null then read_only_at end
  where user_id = p_user and deactivated_at is null;
  if not found then return null; end if;
  if p_locked is not null then
    update auth.scim_people set suspended_at = null where user_id = p_user and suspended_at is not null;
  end if;
  if p_locked then delete from auth.login_tokens where user_id = p_user; end if;
  select array_agg(s.session_id) into v_sessions from (
    select session_id from auth.sessions where user_id = p_user
    union all select session_id from auth.service_sessions where user_id = p_user
  ) s;
  if v_sessions is null then return 0; end if;
  return log.append_one('session', p_user, null, case when p_locked then 'locked' else 'changed' end,
    json_build_object('sessions', v_sessions)::text);
end $$;
