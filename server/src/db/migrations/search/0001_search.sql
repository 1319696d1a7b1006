-- compatible since: 0000
-- The words of what people wrote in rooms that are not encrypted. A projection of the log, never the truth: it can be emptied and is
-- built again (`parley search rebuild`). See docs/decisions/0054-search-is-a-projection.md.

-- How far the projection has come. It changes in the transaction that writes what it tells of.
create table search.progress (
  one boolean primary key default true check (one),
  position bigint not null default 0,
  -- The history epoch of the position: where the log went on differently, the projection is built anew.
  epoch integer not null default 0,
  -- When the log was read up to there and nothing was left.
  as_of timestamptz,
  -- The worker that keeps it, until held_until.
  holder text,
  held_until timestamptz
) with (fillfactor = 20);
insert into search.progress default values;

create table search.events (
  position bigint primary key,
  event_id text not null unique,
  room_id text not null,
  sender text not null,
  type text not null,
  has_url boolean not null,
  -- The edit from which the words are; null: they are the event's own.
  edit_id text,
  edit_position bigint,
  -- The words with their places, and the room's id as one more without a place: so the index finds both together.
  words tsvector not null
);
create index events_words on search.events using gin (words);
create index events_room on search.events (room_id, position);
create index events_edit on search.events (edit_id) where edit_id is not null;
create index events_edit_position on search.events (edit_position) where edit_position is not null;
