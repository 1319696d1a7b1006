-- compatible since: 0000
-- Operators' roles, exports and legal access in the access graph: what has left the server, and who may take more.

alter table graph.people add column role text;
-- Who gave it, where the audit log says so, and when.
alter table graph.people add column role_by text;
alter table graph.people add column role_ms bigint;
create index people_operators on graph.people (user_id) where role is not null or is_admin;

-- An export stays known when nobody can fetch it any more: what was fetched is out.
create table graph.exports (
  id bigint generated always as identity unique,
  export_id bigint primary key,
  -- Whose, or of which room.
  user_id text,
  room_id text,
  made_by text not null,
  made_ms bigint not null,
  -- Until then it can be fetched.
  until_ms bigint not null,
  -- The legal access that it was made under.
  access_id bigint
);
create index exports_user on graph.exports (user_id);
create index exports_room on graph.exports (room_id);
create index exports_maker on graph.exports (made_by);

create table graph.fetches (
  id bigint generated always as identity unique,
  fetch_id bigint primary key,
  export_id bigint not null,
  -- Who fetched it, and with which device where it was one of Matrix.
  user_id text not null,
  device_id text,
  fetched_ms bigint not null
);
create index fetches_export on graph.fetches (export_id);
create index fetches_user on graph.fetches (user_id);

create table graph.legal_access (
  id bigint generated always as identity unique,
  access_id bigint primary key,
  user_id text,
  room_id text,
  holder text not null,
  case_reference text not null,
  granted_by text not null,
  granted_ms bigint not null,
  -- When it ends, or was ended.
  ends_ms bigint not null
);
create index legal_access_user on graph.legal_access (user_id);
create index legal_access_room on graph.legal_access (room_id);
create index legal_access_holder on graph.legal_access (holder);

-- The statements that put the rows of p_source, a table or transition table of graph.<p_table>, into the graph. They are for the caller to
-- run: a transition table is seen by its trigger alone. Edges whose ends nobody knows are left out.
create or replace function graph.age_inserts(p_table text, p_source text) returns setof text
language plpgsql as $$
declare
  v_edge text := 'insert into parley_access.%I (id, start_id, end_id, properties)
    select ag_catalog._graphid(%s, c.id), ag_catalog._graphid(%s, a.id), ag_catalog._graphid(%s, b.id), ((to_jsonb(c) - ''id'')::text)::ag_catalog.agtype
    from %s c join graph.%I a on a.%I = c.%I join graph.%I b on b.%I = c.%I %s';
  v_vertex text := 'insert into parley_access.%I (id, properties)
    select ag_catalog._graphid(%s, c.id), ((to_jsonb(c) - ''id'')::text)::ag_catalog.agtype from %s c';
  v_person integer := graph.age_label('Person');
  v_room integer := graph.age_label('Room');
  v_membership text;
begin
  if p_table = 'people' then return next format(v_vertex, 'Person', v_person, p_source);
  elsif p_table = 'rooms' then return next format(v_vertex, 'Room', v_room, p_source);
  elsif p_table = 'devices' then
    return next format(v_vertex, 'Device', graph.age_label('Device'), p_source);
    return next format('insert into parley_access."USES" (id, start_id, end_id, properties)
      select ag_catalog._graphid(%s, c.id), ag_catalog._graphid(%s, a.id), ag_catalog._graphid(%s, c.id), ''{}''::ag_catalog.agtype
      from %s c join graph.people a on a.user_id = c.user_id', graph.age_label('USES'), v_person, graph.age_label('Device'), p_source);
  elsif p_table = 'memberships' then
    foreach v_membership in array array['join', 'invite', 'knock', 'leave', 'ban'] loop
      return next format(v_edge, graph.age_edge(v_membership), graph.age_label(graph.age_edge(v_membership)), v_person, v_room, p_source,
        'people', 'user_id', 'user_id', 'rooms', 'room_id', 'room_id', format('where c.membership = %L', v_membership));
    end loop;
  elsif p_table = 'stays' then
    return next format(v_edge, 'STAYED_IN', graph.age_label('STAYED_IN'), v_person, v_room, p_source, 'people', 'user_id', 'user_id', 'rooms', 'room_id', 'room_id', '');
  elsif p_table = 'powers' then
    return next format(v_edge, 'HAS_POWER_IN', graph.age_label('HAS_POWER_IN'), v_person, v_room, p_source, 'people', 'user_id', 'user_id', 'rooms', 'room_id', 'room_id', '');
  elsif p_table = 'nesting' then
    return next format(v_edge, 'CONTAINS', graph.age_label('CONTAINS'), v_room, v_room, p_source, 'rooms', 'room_id', 'space_id', 'rooms', 'room_id', 'room_id', '');
  elsif p_table = 'admissions' then
    return next format(v_edge, 'LETS_IN', graph.age_label('LETS_IN'), v_room, v_room, p_source, 'rooms', 'room_id', 'via_room_id', 'rooms', 'room_id', 'room_id', '');
  elsif p_table = 'visibilities' then
    return next format(v_edge, 'SHOWED_HISTORY', graph.age_label('SHOWED_HISTORY'), v_room, v_room, p_source, 'rooms', 'room_id', 'room_id', 'rooms', 'room_id', 'room_id', '');
  elsif p_table = 'exports' then
    return next format(v_vertex, 'Export', graph.age_label('Export'), p_source);
    return next format(v_edge, 'HAS_DATA_OF', graph.age_label('HAS_DATA_OF'), graph.age_label('Export'), v_person, p_source, 'exports', 'export_id', 'export_id', 'people', 'user_id', 'user_id', '');
    return next format(v_edge, 'HAS_DATA_OF', graph.age_label('HAS_DATA_OF'), graph.age_label('Export'), v_room, p_source, 'exports', 'export_id', 'export_id', 'rooms', 'room_id', 'room_id', '');
  elsif p_table = 'fetches' then
    return next format(v_edge, 'FETCHED', graph.age_label('FETCHED'), v_person, graph.age_label('Export'), p_source, 'people', 'user_id', 'user_id', 'exports', 'export_id', 'export_id', '');
  elsif p_table = 'legal_access' then
    return next format(v_vertex, 'LegalAccess', graph.age_label('LegalAccess'), p_source);
    return next format(v_edge, 'OPENS', graph.age_label('OPENS'), graph.age_label('LegalAccess'), v_person, p_source, 'legal_access', 'access_id', 'access_id', 'people', 'user_id', 'user_id', '');
    return next format(v_edge, 'OPENS', graph.age_label('OPENS'), graph.age_label('LegalAccess'), v_room, p_source, 'legal_access', 'access_id', 'access_id', 'rooms', 'room_id', 'room_id', '');
    return next format(v_edge, 'HOLDS', graph.age_label('HOLDS'), v_person, graph.age_label('LegalAccess'), p_source, 'people', 'user_id', 'holder', 'legal_access', 'access_id', 'access_id', '');
  end if;
end $$;

create or replace function graph.age_labels(p_table text) returns text[]
language sql immutable as $$
  select case p_table when 'people' then array['Person'] when 'rooms' then array['Room'] when 'devices' then array['Device', 'USES']
    when 'memberships' then array['MEMBER_OF', 'INVITED_TO', 'ASKED_TO_JOIN', 'BANNED_FROM', 'LEFT'] when 'stays' then array['STAYED_IN']
    when 'powers' then array['HAS_POWER_IN'] when 'nesting' then array['CONTAINS'] when 'admissions' then array['LETS_IN']
    when 'visibilities' then array['SHOWED_HISTORY'] when 'exports' then array['Export', 'HAS_DATA_OF'] when 'fetches' then array['FETCHED']
    when 'legal_access' then array['LegalAccess', 'OPENS', 'HOLDS'] end;
$$;

do $$
declare
  v_table text;
begin
  foreach v_table in array array['exports', 'fetches', 'legal_access'] loop
    execute format('create trigger mirror_insert after insert on graph.%I referencing new table as changed for each statement execute function graph.mirror()', v_table);
    execute format('create trigger mirror_update after update on graph.%I referencing new table as changed for each statement execute function graph.mirror()', v_table);
    execute format('create trigger mirror_delete after delete on graph.%I referencing old table as changed for each statement execute function graph.mirror()', v_table);
  end loop;
end $$;

-- The graph of Apache AGE gets the new labels when the worker brings it anew. All accounts are looked at again, for their roles.
update graph.progress set mirrored = false, accounts_at = null;
