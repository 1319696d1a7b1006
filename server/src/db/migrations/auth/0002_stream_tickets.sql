-- Tickets that open a stream once, for clients that do not want an access token in a frame. Any replica takes them.
create table auth.stream_tickets (
  ticket_hash bytea primary key,
  session_id bigint not null references auth.sessions on delete cascade,
  expires_at timestamptz not null
);
