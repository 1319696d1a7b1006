-- What all replicas of this Parley know, and nobody else: they find each other by the one and trust each other by the other.
create table log.installation (
  one boolean primary key default true check (one),
  id text not null default gen_random_uuid()::text,
  -- What leaves for a broker is sealed with it: AES-256.
  bus_key bytea not null default decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex')
);
insert into log.installation default values;

-- The processes that run on this database. A row is alive as long as the advisory lock (class 720118, its number) is held, by a
-- connection that the process keeps open: the lock ends with the process, whatever way it ends. Rows of the dead are removed by
-- the next that starts.
create table log.processes (
  number integer generated always as identity primary key,
  started_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  version text not null,
  roles text not null,
  bus text not null
);
