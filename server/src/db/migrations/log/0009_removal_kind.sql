-- compatible since: 0003
-- An entry that says which events of a room were taken out of the log, for whoever has them in memory: see 0010.
alter type log.kind add value if not exists 'removal';
