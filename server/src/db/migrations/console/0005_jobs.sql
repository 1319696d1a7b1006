-- compatible since: 0000
-- Long acts: what an operator asked for, or a clock, and a worker does step by step. See server/src/worker/jobs.ts.

create table console.jobs (
  job_id bigint generated always as identity primary key,
  kind text not null,
  state text not null default 'queued' check (state in ('queued', 'running', 'done', 'failed', 'cancelled')),
  -- What it is about, such as a room id.
  target text,
  -- JSON: what was asked for, where the next step begins, and numbers that say how far it is.
  parameters text not null,
  cursor text not null default 'null',
  progress text not null default '{}',
  -- Events that it has taken out of the log: counted in the transaction that took them.
  removed bigint not null default 0,
  error text,
  created_by text not null,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  ended_at timestamptz,
  -- Who works on it, and until when nobody else may.
  lease text,
  leased_until timestamptz,
  -- Steps that failed one after the other.
  failures integer not null default 0,
  cancel_asked boolean not null default false,
  -- Of those with one key only one is open at a time.
  unique_key text
);
create unique index jobs_unique on console.jobs (unique_key) where state in ('queued', 'running');
create index jobs_open on console.jobs (job_id) where state in ('queued', 'running');
create index jobs_kind on console.jobs (kind, job_id desc);

-- Takes a room's events out of the log for a job, and counts them: both happen, or neither. Nothing that a legal hold keeps is
-- taken: a hold that is being placed waits for this, and counts for the next. Gives how many went; null where the job is no
-- longer this worker's.
create function console.remove_for_job(p_job bigint, p_lease text, p_room text, p_positions bigint[], p_with_state boolean) returns integer
language plpgsql as $$
declare
  v_removed integer;
begin
  perform from console.jobs where job_id = p_job and lease = p_lease and state = 'running' for update;
  if not found then return null; end if;
  lock table console.retention_holds in share mode;
  if exists (select from console.retention_holds where room_id = p_room and released_at is null) then return 0; end if;
  v_removed := log.remove_events(p_room, p_positions,
    coalesce((select array_agg(user_id) from console.retention_holds where user_id is not null and released_at is null), '{}'), p_with_state);
  update console.jobs set removed = removed + v_removed where job_id = p_job;
  return v_removed;
end $$;

-- The last step of a purge, for a job: see log.purge_state. What a hold on a person keeps stays in the log, as in remove_for_job.
create function console.purge_for_job(p_job bigint, p_lease text, p_room text, out outcome text, out at bigint)
language plpgsql as $$
begin
  perform from console.jobs where job_id = p_job and lease = p_lease and state = 'running' for update;
  if not found then outcome := 'lost'; return; end if;
  lock table console.retention_holds in share mode;
  if exists (select from console.retention_holds where room_id = p_room and released_at is null) then outcome := 'held'; return; end if;
  at := log.purge_state(p_room,
    coalesce((select array_agg(user_id) from console.retention_holds where user_id is not null and released_at is null), '{}'));
  outcome := case when at is null then 'peopled' else 'purged' end;
end $$;
