-- compatible since: 0000
-- What was imported from elsewhere: see server/src/imports/.

create table console.imports (
  import_id bigint generated always as identity primary key,
  kind text not null check (kind in ('people', 'channels')),
  created_by text not null,
  created_at timestamptz not null default now(),
  job_id bigint
);

-- One for each person or channel, with what became of it.
create table console.import_rows (
  import_id bigint not null references console.imports on delete cascade,
  -- Where it stands in the file, from 1.
  row integer not null,
  -- JSON: what the file says of it.
  data text not null,
  -- Null: not looked at yet. creating: begun, maybe by a worker that died.
  outcome text check (outcome in ('creating', 'created', 'exists', 'failed')),
  -- The user or room id that came of it, or what was wrong.
  result text,
  detail text,
  primary key (import_id, row)
);
create index import_rows_open on console.import_rows (import_id, row) where outcome is null or outcome = 'creating';
