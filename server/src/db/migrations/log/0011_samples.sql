-- compatible since: 0007
-- What Parley counted, minute by minute for a day and by quarters of an hour for a month: see server/src/insight/samples.ts.
-- One row has the numbers of all processes: each adds its own.
create table log.samples (
  step_s integer not null check (step_s in (60, 900)),
  -- When the step begins, by the clocks of the processes.
  at timestamptz not null,
  numbers jsonb not null,
  primary key (step_s, at)
);

-- Of each name the sum.
create function log.add_numbers(one jsonb, other jsonb) returns jsonb
language sql immutable as $$
  select coalesce(jsonb_object_agg(key, sum), '{}')
  from (
    select key, sum(value::numeric) as sum
    from (select * from jsonb_each_text(one) union all select * from jsonb_each_text(other)) as n(key, value)
    group by key
  ) as summed;
$$;

-- Which minute was gathered last: what belongs to no process is counted by one of the workers.
create table log.gathered (
  one boolean primary key default true check (one),
  at timestamptz not null default '-infinity'
);
insert into log.gathered default values;

-- How each part is, and since when.
create table log.health (
  part text primary key,
  state text not null,
  says text not null,
  since timestamptz not null default now()
);
