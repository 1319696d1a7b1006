-- Work that one process hands to another, for a Parley whose queue is PostgreSQL. A message is deleted when it is done.

create table queue.messages (
  id bigint generated always as identity primary key,
  name text not null,
  -- JSON, as the publisher wrote it.
  body text not null,
  -- How often it was taken. Whoever has it knows this number, so a consumer that lost the message meanwhile changes nothing.
  attempts integer not null default 0,
  -- From when on it may be taken: at once, when a retry is due, or when whoever has it counts as dead.
  visible_at timestamptz not null default now()
) with (fillfactor = 70);
create index messages_next on queue.messages (name, visible_at, id);

-- Messages that failed every time. Nothing takes them out but an operator.
create table queue.dead (
  id bigint primary key,
  name text not null,
  body text not null,
  attempts integer not null,
  reason text not null,
  died_at timestamptz not null default now()
);
create index dead_name on queue.dead (name);
