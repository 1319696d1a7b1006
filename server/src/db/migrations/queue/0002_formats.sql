-- compatible since: 0001
-- Of which format a message is (server/src/queue/queue.ts): whoever does not read it leaves it to others. Who knows no formats writes 1.
alter table queue.messages add column format integer not null default 1;
alter table queue.dead add column format integer not null default 1;
