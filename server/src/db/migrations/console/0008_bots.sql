-- compatible since: 0000
-- Accounts that are bots, each with somebody who answers for it. Their tokens are sessions with scopes: see auth/0004.
create table console.bots (
  user_id text primary key,
  owner text not null,
  purpose text,
  created_by text not null,
  created_at timestamptz not null default now()
);
create index bots_owner on console.bots (owner);

-- Addresses at which other software posts into a room, as a bot.
create table console.webhooks (
  id text primary key,
  bot text not null references console.bots,
  room_id text not null,
  name text not null,
  enabled boolean not null default true,
  created_by text not null,
  created_at timestamptz not null default now()
);

-- Of each secret the SHA-256. While a new one is handed out, the old one works until its end.
create table console.webhook_secrets (
  secret_hash bytea primary key,
  webhook text not null references console.webhooks on delete cascade,
  created_at timestamptz not null default now(),
  ends_at timestamptz
);
create index webhook_secrets_webhook on console.webhook_secrets (webhook);

-- What was posted, without what it said: the newest of each webhook.
create table console.webhook_deliveries (
  id bigint generated always as identity primary key,
  webhook text not null references console.webhooks on delete cascade,
  at timestamptz not null default now(),
  address text not null,
  status integer not null,
  -- What the caller calls the delivery: the same again is not posted again.
  idempotency_key text,
  event_id text,
  error text,
  took_ms double precision not null,
  size_bytes integer not null
);
create index webhook_deliveries_newest on console.webhook_deliveries (webhook, id desc);
