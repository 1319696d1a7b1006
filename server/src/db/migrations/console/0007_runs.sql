-- compatible since: 0000
-- That backups were taken and restores verified, as the commands say that did it; and what the doctor said, run by run.
create table console.runs (
  id bigint generated always as identity primary key,
  kind text not null check (kind in ('backup', 'restore_verify', 'restore_drill', 'doctor')),
  started_at timestamptz not null default now(),
  -- Null while it runs.
  ended_at timestamptz,
  ok boolean,
  -- For a backup its folder and position, for the others what they found. Nothing of what anybody wrote.
  detail jsonb not null default '{}'
);
create index runs_newest on console.runs (kind, id desc);
