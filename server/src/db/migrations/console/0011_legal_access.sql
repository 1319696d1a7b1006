-- compatible since: 0000
-- Legal access: a named operator may export what the server has stored of one room or one person, for a case and for a limited time.
-- And who fetched which export: what has left the server. See server/src/legal.

create table console.legal_access (
  access_id bigint generated always as identity primary key,
  -- One of the two.
  room_id text,
  user_id text,
  -- The operator who may.
  holder text not null,
  case_reference text not null,
  reason text not null,
  granted_by text not null,
  granted_at timestamptz not null default now(),
  ends_at timestamptz not null,
  -- When somebody ended it before that.
  ended_at timestamptz,
  ended_by text,
  check ((room_id is null) <> (user_id is null))
);
create index legal_access_user on console.legal_access (user_id);

-- An export of a room has no user_id, and one that was made under legal access has its access_id.
alter table console.exports alter column user_id drop not null;
alter table console.exports add column room_id text;
alter table console.exports add column access_id bigint references console.legal_access;
create index exports_access on console.exports (access_id) where access_id is not null;

create table console.export_fetches (
  fetch_id bigint generated always as identity primary key,
  job_id bigint not null references console.exports on delete cascade,
  fetched_by text not null,
  -- The Matrix device that fetched it, where one did.
  device_id text,
  fetched_at timestamptz not null default now()
);
create index export_fetches_job on console.export_fetches (job_id);
