-- compatible since: 0001
-- What operators decide about rooms and reports.

-- Rooms that nobody joins any more.
create table rooms.blocked (
  room_id text primary key,
  blocked_at timestamptz not null default now(),
  blocked_by text not null,
  reason text not null
);

alter table rooms.reports
  add column resolved_at timestamptz,
  add column resolved_by text,
  add column note text;
create index reports_open on rooms.reports (report_id) where resolved_at is null;
