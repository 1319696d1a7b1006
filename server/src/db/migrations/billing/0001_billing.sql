-- compatible since: 0000
-- What a payment provider told, and what came of it. Empty unless billing is configured. When something happened there is the
-- provider's time; all else is the database's, so that the clocks of processes do not matter.

-- Events as they came, under the provider's own id: that they are here is what a sender is told with its answer.
create table billing.events (
  event_id text primary key,
  type text not null,
  -- What it is about: a subscription, an invoice or a customer.
  object_id text not null,
  created_at timestamptz not null,
  -- Byte for byte as it was signed; from the stream, as the API gave it.
  body text not null,
  source text not null check (source in ('webhook', 'stream')),
  received_at timestamptz not null default clock_timestamp()
);
create index events_newest on billing.events (created_at desc, event_id desc);

-- One row for each handler of an event.
--   waiting    to be run when it is due; while it runs, due_at is when whoever runs it counts as dead
--   handled    what it had to change is changed, in the transaction that wrote this
--   dead       failed every time; nothing takes it out but an operator
--   discarded  an operator decided that it is not to be run
create table billing.deliveries (
  event_id text not null references billing.events on delete cascade,
  handler text not null,
  state text not null default 'waiting' check (state in ('waiting', 'handled', 'dead', 'discarded')),
  -- How often it was begun since it arrived or was replayed.
  attempts integer not null default 0,
  -- How often in all. Whoever runs it knows this number, so one that was overtaken changes nothing.
  takes bigint not null default 0,
  due_at timestamptz not null default clock_timestamp(),
  -- Since it arrived, or was replayed.
  waiting_since timestamptz not null default clock_timestamp(),
  -- How many of its runs changed something: a replay of what was applied does not.
  changes integer not null default 0,
  last_error text,
  settled_at timestamptz,
  primary key (event_id, handler)
);
create index deliveries_due on billing.deliveries (due_at) where state = 'waiting';
create index deliveries_dead on billing.deliveries (event_id) where state = 'dead';

-- Who works: one at a time. Every write of a worker checks the fence, which grows whenever the lease changes hands.
create table billing.lease (
  is_only boolean primary key default true check (is_only),
  holder text,
  fence bigint not null default 0,
  expires_at timestamptz not null default '-infinity'
);
insert into billing.lease default values;

-- How far the provider's list of events was read.
create table billing.stream (
  is_only boolean primary key default true check (is_only),
  -- The creation of the newest event that was seen; null: none was.
  read_until timestamptz,
  looked_at timestamptz,
  -- How often somebody asked for a reading: what is asked for during one is another.
  asked bigint not null default 0
);
insert into billing.stream default values;

-- Customers, subscriptions and invoices as they were when the provider last told: only what is shown.
create table billing.objects (
  kind text not null check (kind in ('customer', 'subscription', 'invoice')),
  object_id text not null,
  created_at timestamptz not null,
  -- The provider's time up to which this is true.
  as_of timestamptz not null,
  is_gone boolean not null,
  state jsonb not null,
  primary key (kind, object_id)
);
create index objects_newest on billing.objects (kind, created_at desc, object_id desc);

create table billing.payment_failures (
  -- The event that told: each counts once.
  event_id text primary key,
  invoice_id text not null,
  failed_at timestamptz not null,
  next_attempt_at timestamptz
);

-- What was counted of a day, in UTC, and whether the provider knows.
--   waiting     to be told
--   reported    told
--   superseded  a later day was counted before it could be told
create table billing.usage (
  day date not null,
  kind text not null check (kind in ('seats', 'storage')),
  -- People, or bytes.
  measured bigint not null,
  -- In the units of the price.
  quantity bigint not null,
  measured_at timestamptz not null default clock_timestamp(),
  state text not null default 'waiting' check (state in ('waiting', 'reported', 'superseded')),
  attempts integer not null default 0,
  due_at timestamptz not null default clock_timestamp(),
  last_error text,
  reported_at timestamptz,
  primary key (kind, day)
);
