-- compatible since: 0000
-- The access graph: who can read what, and by what. A projection of the log and of the accounts, never the truth: it can be emptied
-- and is built again (`parley graph rebuild`). No content of a message is in it. See docs/operations/access-graph.md.
--
-- Every row that is a node or an edge has a number, which is its number in the graph of Apache AGE too, where there is one.

-- How far the projection has come. It changes in the transaction that writes what it tells of.
create table graph.progress (
  one boolean primary key default true check (one),
  position bigint not null default 0,
  -- The history epoch of the position: where the log went on differently, the projection is built anew.
  epoch integer not null default 0,
  -- When the log was read up to there and nothing was left.
  as_of timestamptz,
  -- Accounts and devices, which the log does not tell of in full, are looked through now and then.
  accounts_at timestamptz,
  -- Those of them who were just seen, more often.
  recent_at timestamptz,
  -- The worker that keeps it, until held_until.
  holder text,
  held_until timestamptz,
  rebuilding boolean not null default false,
  rebuilt_at timestamptz,
  rebuild_ms bigint,
  -- Whether the graph of Apache AGE has what these tables have.
  mirrored boolean not null default false
);
insert into graph.progress default values;

create table graph.people (
  id bigint generated always as identity unique,
  user_id text primary key,
  name text,
  is_admin boolean not null default false,
  -- active, suspended, deactivated; unknown for who has no account here.
  status text not null default 'unknown',
  -- person or bot.
  kind text not null default 'person',
  created_ms bigint
);
create index people_admins on graph.people (user_id) where is_admin;
create index people_names on graph.people (lower(coalesce(name, user_id)) text_pattern_ops);

create table graph.devices (
  id bigint generated always as identity unique,
  user_id text not null,
  device_id text not null,
  name text,
  created_ms bigint not null,
  last_seen_ms bigint not null,
  -- Signed by its owner's self-signing key.
  is_verified boolean not null default false,
  has_keys boolean not null default false,
  -- Since then it is signed out.
  ended_ms bigint,
  primary key (user_id, device_id)
);
create index devices_seen on graph.devices (last_seen_ms) where ended_ms is null;

create table graph.rooms (
  id bigint generated always as identity unique,
  room_id text primary key,
  name text,
  name_event text,
  alias text,
  alias_event text,
  is_space boolean not null default false,
  room_version text,
  creators text[] not null default '{}',
  created_ms bigint,
  join_rule text not null default 'invite',
  -- A value that is not understood counts as shared.
  visibility text not null default 'shared',
  encrypted_ms bigint,
  predecessor text,
  replacement text,
  replacement_event text,
  -- The power of who is not named; that it takes to invite; and to change who has power.
  users_default bigint not null default 0,
  invite_level bigint not null default 0,
  manage_level bigint not null default 50,
  has_levels boolean not null default false,
  -- Whether a member may let others in by a restricted join rule.
  can_vouch boolean not null default false
);
create index rooms_open on graph.rooms (room_id) where join_rule = 'public' or visibility = 'world_readable';
create index rooms_names on graph.rooms (lower(coalesce(name, alias, room_id)) text_pattern_ops);

create table graph.memberships (
  id bigint generated always as identity unique,
  user_id text not null,
  room_id text not null,
  -- join, invite, knock, leave, ban.
  membership text not null,
  -- When it became that, and by whom.
  since_ms bigint not null,
  since_position bigint not null,
  by_user text not null,
  -- Of a member: who had invited them; who vouched for them.
  invited_by text,
  invited_ms bigint,
  vouched_by text,
  primary key (user_id, room_id)
);
create index memberships_room on graph.memberships (room_id, membership);

-- From when to when somebody was a member: what they could read stays read.
create table graph.stays (
  id bigint generated always as identity unique,
  user_id text not null,
  room_id text not null,
  from_position bigint not null,
  from_ms bigint not null,
  until_position bigint,
  until_ms bigint,
  -- When the invitation came that it began with, if it did with one.
  invited_position bigint,
  invited_ms bigint,
  primary key (user_id, room_id, from_position)
);

-- Who has power in a room by name.
create table graph.powers (
  id bigint generated always as identity unique,
  room_id text not null,
  user_id text not null,
  -- That of a creator in room version 12 is the largest number there is: 9007199254740991.
  level bigint not null,
  granted_by text not null,
  granted_ms bigint not null,
  primary key (room_id, user_id)
);
create index powers_user on graph.powers (user_id);

-- Spaces and what is in them.
create table graph.nesting (
  id bigint generated always as identity unique,
  space_id text not null,
  room_id text not null,
  -- child: the space says so. parent: the room says so.
  said_by text not null check (said_by in ('child', 'parent')),
  by_user text not null,
  since_ms bigint not null,
  event_id text not null,
  primary key (space_id, room_id, said_by)
);
create index nesting_room on graph.nesting (room_id);
create index nesting_event on graph.nesting (event_id);

-- Whose members a room with a restricted join rule lets in.
create table graph.admissions (
  id bigint generated always as identity unique,
  room_id text not null,
  via_room_id text not null,
  by_user text not null,
  since_ms bigint not null,
  primary key (room_id, via_room_id)
);
create index admissions_via on graph.admissions (via_room_id);

-- What the history visibility was, from when on.
create table graph.visibilities (
  id bigint generated always as identity unique,
  room_id text not null,
  position bigint not null,
  visibility text not null,
  since_ms bigint not null,
  by_user text not null,
  primary key (room_id, position)
);

-- The same graph in Apache AGE, where the database has it: graph "parley_access". The worker makes it (server/src/graph/mirror.ts); from
-- then on every change of a table is made there too, in the same transaction. A function's text is looked at when it first runs, so this
-- migrates a database without the extension as well.

create function graph.age_label(p_name text) returns integer
language plpgsql stable as $$
begin
  return (select l.id from ag_catalog.ag_label l join ag_catalog.ag_graph g on g.graphid = l.graph where g.name = 'parley_access' and l.name = p_name);
end $$;

create function graph.age_edge(p_membership text) returns text
language sql immutable as $$
  select case p_membership when 'join' then 'MEMBER_OF' when 'invite' then 'INVITED_TO' when 'knock' then 'ASKED_TO_JOIN' when 'ban' then 'BANNED_FROM' else 'LEFT' end;
$$;

-- The statements that put the rows of p_source, a table or transition table of graph.<p_table>, into the graph. They are for the caller to
-- run: a transition table is seen by its trigger alone. Edges whose ends nobody knows are left out.
create function graph.age_inserts(p_table text, p_source text) returns setof text
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
  end if;
end $$;

create function graph.age_labels(p_table text) returns text[]
language sql immutable as $$
  select case p_table when 'people' then array['Person'] when 'rooms' then array['Room'] when 'devices' then array['Device', 'USES']
    when 'memberships' then array['MEMBER_OF', 'INVITED_TO', 'ASKED_TO_JOIN', 'BANNED_FROM', 'LEFT'] when 'stays' then array['STAYED_IN']
    when 'powers' then array['HAS_POWER_IN'] when 'nesting' then array['CONTAINS'] when 'admissions' then array['LETS_IN']
    when 'visibilities' then array['SHOWED_HISTORY'] end;
$$;

create function graph.mirror() returns trigger
language plpgsql as $$
declare
  v_label text;
  v_insert text;
begin
  if not (select mirrored from graph.progress) then return null; end if;
  begin
    if tg_op <> 'INSERT' then
      foreach v_label in array graph.age_labels(tg_table_name::text) loop
        execute format('delete from parley_access.%I t using changed c where t.id operator(ag_catalog.=) ag_catalog._graphid(%s, c.id)', v_label, graph.age_label(v_label));
      end loop;
    end if;
    if tg_op <> 'DELETE' then
      for v_insert in select graph.age_inserts(tg_table_name::text, 'changed') loop execute v_insert; end loop;
    end if;
  exception when others then
    -- Somebody dropped the graph, or took a right away: the tables go on, and the worker tries to bring it anew.
    raise warning 'the graph of Apache AGE could not be kept: %', sqlerrm;
    update graph.progress set mirrored = false;
  end;
  return null;
end $$;

do $$
declare
  v_table text;
begin
  foreach v_table in array array['people', 'rooms', 'devices', 'memberships', 'stays', 'powers', 'nesting', 'admissions', 'visibilities'] loop
    execute format('create trigger mirror_insert after insert on graph.%I referencing new table as changed for each statement execute function graph.mirror()', v_table);
    execute format('create trigger mirror_update after update on graph.%I referencing new table as changed for each statement execute function graph.mirror()', v_table);
    execute format('create trigger mirror_delete after delete on graph.%I referencing old table as changed for each statement execute function graph.mirror()', v_table);
  end loop;
end $$;
