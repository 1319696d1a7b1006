-- compatible since: 0003
-- A server that takes over has a timeline of its own. What its predecessor had written and it had not is lost: nobody was answered
-- it where the standby is synchronous, but somebody may have read it, if its backend was ended while it waited for the standby. The
-- positions are then given out again. So the first change of the head on another timeline raises the epoch, and notes up to where
-- the history of the epochs before goes on in it.
alter table log.head add column timeline text not null default left(pg_walfile_name(pg_current_wal_insert_lsn()), 8);

-- A position of an earlier epoch means the same as ever if every later epoch has a row here that is not below it. An epoch without
-- a row was begun by a restore from a backup: no position of before means anything.
create table log.forks (
  epoch integer primary key,
  position bigint not null
);

create function log.note_fork() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  new.timeline := left(pg_walfile_name(pg_current_wal_insert_lsn()), 8);
  new.epoch := new.epoch + 1;
  insert into log.forks (epoch, position) values (new.epoch, old.position);
  return new;
end $$;

create trigger fork before update on log.head for each row
when (old.timeline is distinct from left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))
execute function log.note_fork();

-- The epoch as this transaction leaves it: log.append() reads it before it changes the head.
create function log.epoch() returns integer
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
  return (select epoch from log.head);
end $$;
