-- compatible since: 0002
-- People whom a directory provisions by SCIM 2.0 (RFC 7643, RFC 7644): the tokens of directories, what they say of accounts, and which of their
-- requests were refused. See server/src/scim.

create table auth.scim_tokens (
  token_id text primary key,
  -- SHA-256: the token was shown once, when it was made.
  token_hash bytea not null unique,
  -- In the audit log, what a directory does is done by "scim:<name>".
  name text not null unique,
  -- Of PARLEY_SSO_PROVIDERS: an externalId is a subject of it.
  provider_id text,
  created_by text not null,
  created_at timestamptz not null default now(),
  last_used_at timestamptz,
  last_used_address text
);

-- One for each account that a directory made, or took over.
create table auth.scim_people (
  user_id text primary key references auth.accounts,
  -- As the directory has it; the user id was made of the first one, and stays.
  user_name text not null,
  external_id text,
  -- JSON: name, displayName and emails, as they were sent.
  described text not null,
  -- Who said it last: the name of a token.
  said_by text not null,
  -- The same as of the account where the directory suspended it: what an operator suspends later, or did before, has another time.
  suspended_at timestamptz,
  -- When the directory deleted it. The row says where the account came from.
  removed_at timestamptz,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now()
);
create unique index scim_people_user_name on auth.scim_people (lower(user_name)) where removed_at is null;
create unique index scim_people_external_id on auth.scim_people (external_id) where removed_at is null;
create index scim_people_order on auth.scim_people (created_at, user_id) where removed_at is null;

-- The last requests of directories that were refused. Nothing secret: no query, no body.
create table auth.scim_errors (
  error_id bigint generated always as identity primary key,
  happened_at timestamptz not null default now(),
  token_name text not null,
  method text not null,
  path text not null,
  status integer not null,
  detail text not null
);

-- The provider behind p_issuer (a slash at its end makes no other one) knows the person by what the directory calls them; null: no provider, or no
-- external id. What it called them before signs nobody in any more. Raises unique_violation where the new one is another account's.
create function auth.scim_link(p_user text, p_issuer text, p_former text, p_external text) returns void
language plpgsql as $$
declare
  v_issuers text[] := array[rtrim(p_issuer, '/'), rtrim(p_issuer, '/') || '/'];
  v_owner text;
begin
  delete from auth.external_ids
  where issuer = any (v_issuers) and subject = p_former and user_id = p_user and p_former is distinct from p_external;
  if p_issuer is null or p_external is null then return; end if;
  select user_id into v_owner from auth.external_ids where issuer = any (v_issuers) and subject = p_external order by added_at limit 1;
  if v_owner is null then
    insert into auth.external_ids (issuer, subject, user_id) values (p_issuer, p_external, p_user);
  elsif v_owner <> p_user then
    raise unique_violation using constraint = 'external_ids_pkey';
  end if;
end $$;

-- Makes an account without a password, with what the directory says of it. Gives 'done', 'taken' where the user id is somebody's, or the
-- constraint by which something else of it is another account's: then nothing is made.
create function auth.scim_create(
  p_user text, p_user_name text, p_external text, p_described text, p_by text, p_issuer text
) returns text
language plpgsql as $$
declare
  v_constraint text;
begin
  insert into auth.accounts (user_id) values (p_user) on conflict do nothing;
  if not found then return 'taken'; end if;
  insert into auth.scim_people (user_id, user_name, external_id, described, said_by)
  values (p_user, p_user_name, p_external, p_described, p_by);
  perform auth.scim_link(p_user, p_issuer, null, p_external);
  return 'done';
exception when unique_violation then
  get stacked diagnostics v_constraint = constraint_name;
  return v_constraint;
end $$;

-- Writes down what the directory says of an account that there is. Gives what scim_create gives, but for 'taken'.
create function auth.scim_put(
  p_user text, p_user_name text, p_external text, p_described text, p_by text, p_issuer text
) returns text
language plpgsql as $$
declare
  v_constraint text;
  v_former text;
begin
  select external_id into v_former from auth.scim_people where user_id = p_user and removed_at is null for update;
  insert into auth.scim_people (user_id, user_name, external_id, described, said_by)
  values (p_user, p_user_name, p_external, p_described, p_by)
  on conflict (user_id) do update set user_name = excluded.user_name, external_id = excluded.external_id,
    described = excluded.described, said_by = excluded.said_by, changed_at = now(), removed_at = null;
  perform auth.scim_link(p_user, p_issuer, v_former, p_external);
  return 'done';
exception when unique_violation then
  get stacked diagnostics v_constraint = constraint_name;
  return v_constraint;
end $$;
