-- compatible since: 0003
-- How many entries of the log a process had not got when it last showed itself: for whoever looks for trouble.
alter table log.processes add column behind_entries bigint;
