-- compatible since: 0001
-- Tickets with which a process that does not reach the uploads is lent one of them by a process that does: see server/src/media/lent/.
-- Each is for one file of one person, once, within seconds. Of a ticket there is the hash alone.
create table media.lent_tickets (
  ticket_hash bytea primary key,
  user_id text not null,
  media_id text not null,
  expires_at timestamptz not null
);
create index lent_tickets_expires on media.lent_tickets (expires_at);
