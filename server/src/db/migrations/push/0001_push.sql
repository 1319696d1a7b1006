-- compatible since: 0000
-- Pushers, and what is still to be told through them. No content of an event is here: what a notification says is read from the log
-- when it is sent, so that what was redacted meanwhile is not. See docs/operations/push.md.

create table push.pushers (
  pusher_id bigint generated always as identity primary key,
  user_id text not null,
  -- It goes with the session that set it last: signing out ends the notifications of the device too.
  session_id bigint not null references auth.sessions on delete cascade,
  -- http or webpush.
  kind text not null,
  app_id text not null,
  pushkey text not null,
  app_display_name text not null,
  device_display_name text not null,
  profile_tag text,
  lang text not null,
  -- JSON, as the client gave it.
  data text not null,
  set_at timestamptz not null default now(),
  -- Only what stands in the log behind this position is told.
  since bigint not null,
  -- When there is something to send, and it may be tried; null: there is nothing.
  due_at timestamptz,
  -- Of the attempts since the last one that went well.
  failures integer not null default 0,
  failing_since timestamptz,
  -- The worker that sends for it, until held_until.
  holder text,
  held_until timestamptz,
  -- The count of unread messages that the device was told last.
  unread integer,
  unique (user_id, app_id, pushkey)
);
create index pushers_session on push.pushers (session_id);
create index pushers_key on push.pushers (app_id, pushkey);
create index pushers_due on push.pushers (due_at) where due_at is not null;

-- What is to be sent, in its order. A row goes when its gateway has taken it.
create table push.queue (
  queue_id bigint generated always as identity primary key,
  pusher_id bigint not null references push.pushers on delete cascade,
  -- event, counts (of unread messages alone) or test.
  what text not null,
  -- Of an event: where it stands in the log.
  position bigint,
  room_id text,
  event_id text,
  -- The root of its thread, or main.
  thread_id text,
  -- JSON: the tweaks of the push rule that matched.
  tweaks text,
  -- How many messages were unread with it.
  unread integer,
  made_at timestamptz not null default now()
);
create index queue_pusher on push.queue (pusher_id, queue_id);

-- How far the log was looked through for what is to be sent. It changes in the transaction that writes the queue.
create table push.progress (
  one boolean primary key default true check (one),
  position bigint not null default 0,
  epoch integer not null default 0,
  -- The worker that looks, until held_until.
  holder text,
  held_until timestamptz
);
insert into push.progress default values;

-- The key pair that push services know this server by (RFC 8292), where no setting gives one. Base64url: the point without
-- compression, and the number.
create table push.vapid (
  one boolean primary key default true check (one),
  public_key text not null,
  private_key text not null
);
