-- compatible since: 0000
-- Each index of this table is paid for with each message. What is taken away is found by its position, and a room by the word that
-- stands for it in the index of words.
alter table search.events drop constraint events_event_id_key;
drop index search.events_room;
