-- What a person says of themselves, and the filters that their clients stored. Account data is in the log.

create table account.profiles (
  user_id text primary key,
  -- A JSON object with one member for each field, as text: a field may hold whatever JSON a client put there.
  profile text not null
);

create table account.filters (
  user_id text not null,
  filter_id bigint generated always as identity,
  definition text not null,
  -- The same filter is stored once: clients send theirs at every start.
  digest bytea not null,
  primary key (user_id, filter_id),
  unique (user_id, digest)
);
