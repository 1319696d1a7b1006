-- compatible since: 0003
-- The server name is part of every id in the database: it is kept from the first start on, and another one is refused.
alter table log.installation
  add column server_name text,
  -- With it settings and secrets that all processes must share are made comparable (HMAC), and not readable.
  add column salt bytea not null default decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex');
update log.installation set server_name = (
  select substr(e.user_id, position(':' in e.user_id) + 1) from log.entries e
  where e.kind = 'event' and e.user_id like '@%:%' order by e.position limit 1);

-- What a process tells of itself, for whoever looks for trouble.
alter table log.processes
  -- Where it runs: the name of the machine or pod.
  add column host text not null default '',
  -- Up to where it has the log, and how far its clock is ahead of the database's: as of seen_at.
  add column position bigint,
  add column clock_ahead_ms double precision,
  -- The most database connections that it opens.
  add column connections integer,
  -- {"SETTING": HMAC}, JSON: of settings that all processes should have the same.
  add column fingerprints text not null default '{}';
