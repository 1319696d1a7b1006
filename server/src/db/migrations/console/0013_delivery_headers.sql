-- compatible since: 0000
-- Of what was posted to a webhook the headers by which somebody finds out who posted it. Which ones: server/src/bots/kept-headers.ts.

alter table console.webhook_deliveries add column headers jsonb not null default '{}';
alter table console.webhook_deliveries add column headers_left_out integer;
comment on column console.webhook_deliveries.headers_left_out is 'How many more there were. Null where it was noted by a release that keeps no headers.';
