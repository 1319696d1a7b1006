-- compatible since: 0001
-- The room directories of application services: which rooms they list for a network. A room that is listed by them alone has a row in
-- rooms.published too, which says that it is not in the server's own directory.
alter table rooms.published add column in_main boolean not null default true;

create table rooms.networks (
  service_id text not null,
  network_id text not null,
  room_id text not null references rooms.published on delete cascade,
  primary key (service_id, network_id, room_id)
);
create index networks_room on rooms.networks (room_id);
