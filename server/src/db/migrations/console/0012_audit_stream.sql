-- compatible since: 0000
-- How far the audit log was streamed to a system that collects it, where the setting PARLEY_AUDIT_STREAM names one. What waits stands in
-- console.audit and is no copy: this is one position.

create table console.audit_stream (
  one boolean primary key default true check (one),
  -- Up to here everything was taken.
  "position" bigint not null default 0,
  sent_at timestamptz,
  -- Tries that failed since the last that did not, when the next is due, and what was wrong.
  failures integer not null default 0,
  failing_since timestamptz,
  retry_at timestamptz,
  error text,
  -- The worker that sends, until held_until.
  holder text,
  held_until timestamptz
);
insert into console.audit_stream default values;
