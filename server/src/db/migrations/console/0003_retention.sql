-- compatible since: 0000
-- How long messages and files are kept, and what is kept whatever the rules say.

create table console.retention_policies (
  -- '' is the policy of the server; otherwise an operator's policy for one room.
  room_id text primary key,
  -- Null keeps for ever.
  max_lifetime_ms bigint check (max_lifetime_ms > 0),
  -- Of the server: within what a room's own m.room.retention counts, and how long files are kept that nothing points to.
  room_least_ms bigint check (room_least_ms > 0),
  room_most_ms bigint check (room_most_ms > 0),
  media_lifetime_ms bigint check (media_lifetime_ms > 0),
  changed_at timestamptz not null default now(),
  changed_by text not null
);

-- A legal hold keeps a room, or whatever somebody wrote.
create table console.retention_holds (
  hold_id bigint generated always as identity primary key,
  room_id text,
  user_id text,
  reason text not null,
  placed_at timestamptz not null default now(),
  placed_by text not null,
  released_at timestamptz,
  released_by text,
  check ((room_id is null) <> (user_id is null))
);
create index retention_holds_open on console.retention_holds (room_id, user_id) where released_at is null;
