-- compatible since: 0000
-- How far each application service was sent the log. What waits for a service stands in the log and is no copy: a row is one
-- position, and the one transaction that is on its way.
create table appservice.services (
  service_id text primary key,
  -- Up to here everything was sent, or was not for it; in the history of this epoch.
  position bigint not null,
  epoch integer not null,
  -- The number of the newest transaction.
  transaction bigint not null default 0,
  -- Its body while it is on its way, and how far it reaches. A retry sends the same, whatever became of the log meanwhile.
  body text,
  reaches bigint,
  check ((body is null) = (reaches is null)),
  -- Tries that failed since the last that did not, when the next is due, and what was wrong.
  failures integer not null default 0,
  retry_at timestamptz,
  failing_since timestamptz,
  error text,
  -- When the service last took a transaction.
  sent_at timestamptz,
  -- The worker that sends, until held_until.
  holder text,
  held_until timestamptz
);
