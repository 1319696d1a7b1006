-- Key backups: what their owner's clients encrypted for themselves.

create function keys.create_backup(p_user text, p_algorithm text, p_auth_data text) returns bigint
language plpgsql as $$
begin
  perform keys.lock_user(p_user);
  insert into keys.backups (user_id, version, algorithm, auth_data)
  values (p_user, 1 + coalesce((select max(version) from keys.backups where user_id = p_user), 0), p_algorithm, p_auth_data);
  return (select max(version) from keys.backups where user_id = p_user);
end $$;

-- Changes what the owner says about a backup: 'updated', 'algorithm' where it has another one, null where there is no such backup.
create function keys.update_backup(p_user text, p_version bigint, p_algorithm text, p_auth_data text) returns text
language plpgsql as $$
begin
  update keys.backups b set auth_data = case when b.algorithm = p_algorithm then p_auth_data else b.auth_data end
  where b.user_id = p_user and b.version = p_version and not b.deleted;
  if not found then return null; end if;
  return (select case when b.algorithm = p_algorithm then 'updated' else 'algorithm' end from keys.backups b where b.user_id = p_user and b.version = p_version);
end $$;

-- Ends a backup; its number stays taken. False where there never was such a backup.
create function keys.delete_backup(p_user text, p_version bigint) returns boolean
language plpgsql as $$
begin
  -- The row first: an upload that is under way holds it, and must be over.
  update keys.backups set deleted = true, auth_data = '{}', key_count = 0 where user_id = p_user and version = p_version;
  if not found then return false; end if;
  delete from keys.backup_keys where user_id = p_user and version = p_version;
  return true;
end $$;

-- Puts keys into the current backup; of two keys for one session the better one stays. No row where there is no such backup; only
-- `current` where it is not the current one.
create function keys.put_backup_keys(
  p_user text, p_version bigint, p_rooms text[], p_sessions text[],
  p_verified boolean[], p_first bigint[], p_forwarded bigint[], p_data text[]
) returns table (current bigint, etag bigint, key_count bigint)
language plpgsql set enable_seqscan = off as $$
#variable_conflict use_column
declare
  v_current bigint;
  v_changed bigint;
  v_added bigint;
begin
  perform 1 from keys.backups b where b.user_id = p_user and b.version = p_version and not b.deleted for update;
  if not found then return; end if;
  select max(b.version) into v_current from keys.backups b where b.user_id = p_user and not b.deleted;
  if v_current <> p_version then return query select v_current, null::bigint, null::bigint; return; end if;
  with put as (
    insert into keys.backup_keys as k
      (user_id, version, room_id, session_id, is_verified, first_message_index, forwarded_count, session_data)
    select p_user, p_version, n.room_id, n.session_id, n.is_verified, n.first_message_index, n.forwarded_count, n.session_data
    from unnest(p_rooms, p_sessions, p_verified, p_first, p_forwarded, p_data)
      as n(room_id, session_id, is_verified, first_message_index, forwarded_count, session_data)
    on conflict (user_id, version, room_id, session_id) do update
    set is_verified = excluded.is_verified, first_message_index = excluded.first_message_index,
        forwarded_count = excluded.forwarded_count, session_data = excluded.session_data
    where (not excluded.is_verified, excluded.first_message_index, excluded.forwarded_count)
        < (not k.is_verified, k.first_message_index, k.forwarded_count)
    -- Of a row that was there already, xmax is the transaction that locked it: this one.
    returning k.xmax = 0 as added
  )
  select count(*), count(*) filter (where added) into v_changed, v_added from put;
  return query
    update keys.backups b set etag = b.etag + (v_changed > 0)::integer, key_count = b.key_count + v_added
    where b.user_id = p_user and b.version = p_version
    returning p_version, b.etag, b.key_count;
end $$;

-- Deletes keys of a backup: of one session, of one room (p_session null), or all of them (p_room null too). No row where there is
-- no such backup.
create function keys.delete_backup_keys(p_user text, p_version bigint, p_room text, p_session text)
returns table (etag bigint, key_count bigint)
language plpgsql set enable_seqscan = off as $$
#variable_conflict use_column
declare
  v_deleted bigint;
begin
  perform 1 from keys.backups b where b.user_id = p_user and b.version = p_version and not b.deleted for update;
  if not found then return; end if;
  -- Three statements, as each has a plan of its own.
  if p_session is not null then
    delete from keys.backup_keys k where k.user_id = p_user and k.version = p_version and k.room_id = p_room and k.session_id = p_session;
  elsif p_room is not null then
    delete from keys.backup_keys k where k.user_id = p_user and k.version = p_version and k.room_id = p_room;
  else
    delete from keys.backup_keys k where k.user_id = p_user and k.version = p_version;
  end if;
  get diagnostics v_deleted = row_count;
  return query
    update keys.backups b set etag = b.etag + (v_deleted > 0)::integer, key_count = b.key_count - v_deleted
    where b.user_id = p_user and b.version = p_version
    returning b.etag, b.key_count;
end $$;
