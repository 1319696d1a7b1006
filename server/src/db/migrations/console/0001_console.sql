-- compatible since: 0000
-- The operator console and the operator API: sessions of browsers, who may do what, and what was done.

-- Sessions ------------------------------------------------------------------------------------------------------------------------
-- Of the id only the SHA-256 is here: who reads the database can not go on with a session.
create table console.sessions (
  session_hash bytea primary key,
  -- Whose session it is, to end all of one person's.
  owner text not null,
  data text not null,
  expires_at timestamptz not null
);
create index sessions_owner on console.sessions (owner);
create index sessions_expiry on console.sessions (expires_at);

-- Operators -----------------------------------------------------------------------------------------------------------------------
-- An administrator of the server (auth.accounts.is_admin) without a row is an owner.
create table console.operators (
  user_id text primary key,
  role text not null check (role in ('auditor', 'operator', 'owner')),
  since timestamptz not null default now()
);

-- Audit ---------------------------------------------------------------------------------------------------------------------------
-- What operators did, each entry with the hash of the one before it. The domain's role may add and read, and nothing else: see
-- appendOnly in server/src/db/roles.ts.
create table console.audit (
  "position" bigint primary key,
  -- Microseconds since 1970.
  time_us bigint not null,
  actor text not null,
  via text not null,
  address text not null,
  device text,
  action text not null,
  target text,
  reason text,
  -- JSON, as it was written.
  "before" text,
  "after" text,
  -- done, denied (the actor may not) or failed.
  outcome text not null,
  -- The errcode, where it was not done.
  error text,
  previous_hash bytea not null,
  hash bytea not null
);
create index audit_actor on console.audit (actor, "position");
create index audit_action on console.audit (action, "position");
create index audit_target on console.audit (target, "position");
create index audit_time on console.audit (time_us);

-- The end of the chain. Whoever appends holds its row, so that two entries never have one predecessor.
create table console.audit_head (
  only_row boolean primary key default true check (only_row),
  "position" bigint not null,
  hash bytea not null
);
insert into console.audit_head ("position", hash) values (0, sha256(''));

-- What the hash of an entry is made of: a JSON array of texts, the hash of the entry before it the first of them, in hexadecimal.
create function console.audit_hash(entry console.audit) returns bytea
language sql immutable as $$
  select sha256(convert_to('[' || string_agg(coalesce(to_json(value)::text, 'null'), ',' order by place) || ']', 'UTF8'))
  from unnest(array[
    encode(entry.previous_hash, 'hex'), entry."position"::text, entry.time_us::text, entry.actor, entry.via, entry.address,
    entry.device, entry.action, entry.target, entry.reason, entry."before", entry."after", entry.outcome, entry.error
  ]) with ordinality as of(value, place);
$$;

-- Appends one entry, of which `p` has everything but its place, time and hashes. Gives its position and its hash.
create function console.append_audit(p jsonb) returns table ("position" bigint, hash bytea)
language plpgsql as $$
declare
  v_head console.audit_head;
  v_entry console.audit;
begin
  select * into v_head from console.audit_head for update;
  v_entry := jsonb_populate_record(null::console.audit, p);
  v_entry."position" := v_head."position" + 1;
  v_entry.time_us := (extract(epoch from clock_timestamp()) * 1000000)::bigint;
  v_entry.previous_hash := v_head.hash;
  v_entry.hash := console.audit_hash(v_entry);
  insert into console.audit select v_entry.*;
  update console.audit_head set "position" = v_entry."position", hash = v_entry.hash;
  return query select v_entry."position", v_entry.hash;
end $$;

-- Shell tickets -------------------------------------------------------------------------------------------------------------------
-- Whoever can write here has the database, and so may do everything: one request each, for a minute.
create table console.shell_tickets (
  ticket_hash bytea primary key,
  -- shell:<account>@<host>
  actor text not null,
  expires_at timestamptz not null
);
