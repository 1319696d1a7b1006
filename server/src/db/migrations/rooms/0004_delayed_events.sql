-- compatible since: 0001
-- Events that are sent later, unless their sender says otherwise.

create table rooms.delayed_events (
  delay_id text primary key,
  user_id text not null,
  session_id bigint not null,
  txn_key text not null,
  -- As the client gave it; of state there is none.
  txn_id text,
  room_id text not null,
  type text not null,
  state_key text,
  content text not null,
  delay_ms bigint not null,
  running_since timestamptz not null default now(),
  send_at timestamptz not null,
  -- Where the log stood: state that somebody else sets later takes this one's place.
  scheduled_at bigint not null,
  claimed_until timestamptz,
  -- Sent, cancelled or refused. The row stays for a while, so that a request that is repeated gets its answer again.
  ended_at timestamptz,
  unique (session_id, txn_key)
);
create index delayed_events_due on rooms.delayed_events (send_at) where ended_at is null;
create index delayed_events_of_user on rooms.delayed_events (user_id) where ended_at is null;
create index delayed_events_ended on rooms.delayed_events (ended_at) where ended_at is not null;
