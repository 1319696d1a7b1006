-- compatible since: 0001
-- The room in which each person gets what the server has to say. Specification: client-server-api, "Server Notices".

create table rooms.notices (
  user_id text primary key,
  room_id text not null
);
