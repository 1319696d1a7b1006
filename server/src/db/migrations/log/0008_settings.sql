-- compatible since: 0007
-- What operators set while Parley runs. Every process reads it every two seconds, by a connection that it has anyway: see
-- server/src/system/controls.ts.
create table log.settings (
  name text primary key,
  value jsonb not null,
  changed_at timestamptz not null default now(),
  changed_by text not null
);
