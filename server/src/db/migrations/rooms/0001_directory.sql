-- Where rooms and people are found: names of rooms, the published room directory, the index of people, and what was reported.

-- What points to a room. A name is taken before its room is there, so that two rooms can not be made under one name.
create table rooms.aliases (
  alias text primary key,
  room_id text not null,
  -- Who made it: they may take it away again.
  creator text not null,
  created_at timestamptz not null default now()
);
create index aliases_room on rooms.aliases (room_id);

-- The published rooms, with what is searched and sorted by. All but room_id follows from the log and is filled in behind it.
create table rooms.published (
  room_id text primary key,
  -- The position of the log that the rest is at least as new as; 0: it is not filled in yet.
  as_of bigint not null default 0,
  joined integer not null default 0,
  -- '' is a room without a type.
  room_type text not null default '',
  -- Name, topic and canonical alias, folded as search terms are.
  words text not null default '',
  -- JSON: the entry of the directory as clients get it, without the number of members.
  entry text not null default ''
);
create index published_size on rooms.published (joined desc, room_id) where as_of > 0 and joined > 0;

-- Who is found by which words. The names are copies; the profiles are the account domain's. In the C collation, all texts with
-- one beginning stand together.
create table rooms.people (
  user_id text primary key,
  -- The local part of the user id and the display name, folded as search terms are.
  localpart text collate "C" not null,
  name text collate "C" not null
);
create index people_localpart on rooms.people (localpart);
create index people_name on rooms.people (name);

create table rooms.people_words (
  user_id text not null references rooms.people on delete cascade,
  word text collate "C" not null,
  primary key (user_id, word)
);
create index people_words_word on rooms.people_words (word, user_id);

-- What people reported: an event (with its room and its sender), a room, or a person.
create table rooms.reports (
  report_id bigint generated always as identity primary key,
  reported_at timestamptz not null default now(),
  reporter text not null,
  room_id text,
  event_id text,
  user_id text,
  reason text not null
);
