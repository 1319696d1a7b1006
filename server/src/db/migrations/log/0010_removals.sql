-- compatible since: 0003
-- Events leave the log: by retention, or because their room is purged. Their positions stay empty, as those of to-device messages
-- do; nothing is ever moved up. An entry of the kind removal tells every process, in its place in the order, so that what they
-- have in memory goes too. See docs/decisions/0044-retention-removes-rows.md.
create index if not exists entries_removals on log.entries (position) where kind = 'removal';

-- Takes out those of the room's events that stand at these positions, but for the senders that are named. Never takes current
-- state; earlier state only where it is asked for. Gives how many went. The head is locked first, as an append does, so that
-- a redaction of one of them comes either before or behind: keep the batches small.
create function log.remove_events(p_room text, p_positions bigint[], p_keep_senders text[], p_with_state boolean) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp
-- As in the append: whoever wants to write waits while this looks, so it must never become a scan.
set enable_seqscan = off
as $$
declare
  v_head bigint;
  v_removed bigint[];
begin
  select position into v_head from log.head for update;
  with removed as (
    delete from log.entries e
    where e.position = any (p_positions) and e.room_id = p_room and e.kind = 'event'
      and not e.user_id = any (p_keep_senders)
      and (e.state_key is null or p_with_state
        and not exists (select from log.state s where s.room_id = p_room and s.type = e.type and s.state_key = e.state_key and s.position = e.position)
        and not exists (select from log.members m where m.user_id = e.state_key and m.room_id = p_room and m.position = e.position))
    returning e.position
  )
  select array_agg(position order by position) into v_removed from removed;
  if v_removed is null then return 0; end if;
  update log.head set position = v_head + 1;
  insert into log.entries (position, kind, room_id, type, ts, body)
  values (v_head + 1, 'removal', p_room, 'removed', extract(epoch from now()) * 1000, json_build_object('positions', v_removed)::text);
  return cardinality(v_removed);
end $$;

-- The last step of a purge: of the room stay the event that created it and everybody's last membership, from which their devices
-- learn that they are out; and what the senders wrote that are named, which is no longer the room's state. Gives the position of the
-- entry that says so; null while somebody is in the room or invited to it.
create function log.purge_state(p_room text, p_keep_senders text[]) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $$
declare
  v_position bigint;
begin
  select position + 1 into v_position from log.head for update;
  if exists (select from log.members where room_id = p_room and membership in ('join', 'invite', 'knock')) then return null; end if;
  with gone as (
    delete from log.state where room_id = p_room and (type, state_key) <> ('m.room.create', '') returning position
  )
  delete from log.entries e using gone where e.position = gone.position and not e.user_id = any (p_keep_senders);
  -- Whoever has the room in memory as it was is refused as stale, whatever they want in it.
  update log.rooms set version = v_position where room_id = p_room;
  update log.head set position = v_position;
  insert into log.entries (position, kind, room_id, type, ts, body)
  values (v_position, 'removal', p_room, 'purged', extract(epoch from now()) * 1000, '{}');
  return v_position;
end $$;

-- Forgets what told processes of removals long ago: whoever starts reads the log as it is.
create function log.forget_removals(p_before_ms bigint) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  delete from log.entries where kind = 'removal' and type = 'removed' and ts < p_before_ms;
$$;
