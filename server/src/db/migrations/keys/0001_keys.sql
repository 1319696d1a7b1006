-- What end-to-end encryption keeps on the server: public keys, and secrets that only clients can read. Keys are JSON as text,
-- with their members in one order, so that two uploads of the same key are the same text. Never jsonb: that refuses \u0000.
--
-- Every function that changes what a sync tells ends with the entries of the log that tell it, under the lock of what it
-- changes. The locks are always taken in this order: person, devices by their names, rows, the head of the log.

-- The identity of a device.
create table keys.devices (
  user_id text not null,
  device_id text not null,
  -- The public keys alone. When they change, it is another device under the same id.
  identity text not null,
  -- As it was uploaded, without `unsigned`.
  keys text not null,
  primary key (user_id, device_id)
);

-- A one-time key is handed out once, and stays with its claim for a while: an upload whose answer was lost is sent again, and
-- must not bring back a key that somebody has already.
create table keys.one_time_keys (
  -- The order of uploads, in which the keys are handed out.
  id bigint generated always as identity primary key,
  user_id text not null,
  device_id text not null,
  algorithm text not null,
  key_id text not null,
  key text not null,
  claimed_at timestamptz,
  unique (user_id, device_id, algorithm, key_id)
);
create index one_time_keys_unclaimed on keys.one_time_keys (user_id, device_id, algorithm, id) where claimed_at is null;

-- Handed out when the one-time keys have run out, as often as it takes.
create table keys.fallback_keys (
  user_id text not null,
  device_id text not null,
  algorithm text not null,
  key_id text not null,
  key text not null,
  used boolean not null default false,
  primary key (user_id, device_id, algorithm)
);

create table keys.cross_signing (
  user_id text not null,
  usage text not null check (usage in ('master', 'self_signing', 'user_signing')),
  -- In unpadded base64, as in `ed25519:<public key>`.
  public_key text not null,
  -- As it was uploaded, without `unsigned`.
  keys text not null,
  primary key (user_id, usage)
);

-- Signatures that came after the key that they sign.
create table keys.signatures (
  -- Whose key is signed, and which: a device id, or the public key of a master key.
  user_id text not null,
  target text not null,
  -- Who signed, and with which key.
  signer text not null,
  signer_key text not null,
  signature text not null,
  primary key (user_id, target, signer, signer_key)
);
create index signatures_signer on keys.signatures (signer, signer_key);

-- A device without a session, which takes messages while its person has no other. One for each person.
create table keys.dehydrated_devices (
  user_id text primary key,
  device_id text not null,
  display_name text,
  device_data text not null
);

create table keys.backups (
  user_id text not null,
  -- Never used again, not even after the backup is deleted.
  version bigint not null,
  algorithm text not null,
  auth_data text not null,
  -- How often the keys changed, and how many there are.
  etag bigint not null default 0,
  key_count bigint not null default 0,
  deleted boolean not null default false,
  primary key (user_id, version)
);

create table keys.backup_keys (
  user_id text not null,
  version bigint not null,
  room_id text not null,
  session_id text not null,
  is_verified boolean not null,
  first_message_index bigint not null,
  forwarded_count bigint not null,
  session_data text not null,
  primary key (user_id, version, room_id, session_id)
);

-- What the person changes, one change after the other until this transaction ends.
create function keys.lock_user(p_user text) returns void
language sql as $$
  select pg_advisory_xact_lock(hashtextextended('keys ' || p_user, 0));
$$;

-- The same for devices: counts are told in the order in which they came about.
create function keys.lock_devices(p_users text[], p_devices text[]) returns void
language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('keys ' || d.user_id || ' ' || d.device_id, 0))
  from (select * from unnest(p_users, p_devices) as u(user_id, device_id) order by 1, 2) d;
end $$;

-- How many keys of the device nobody has claimed: JSON as the body of a log entry and as members of a sync's answer.
create function keys.counts(p_user text, p_device text) returns text
language sql stable set enable_seqscan = off as $$
  select json_build_object(
    'device_one_time_keys_count', coalesce((
      select json_object_agg(c.algorithm, c.keys)
      from (
        select k.algorithm, count(*) as keys from keys.one_time_keys k
        where k.user_id = p_user and k.device_id = p_device and k.claimed_at is null
        group by k.algorithm
      ) c), '{}'),
    'device_unused_fallback_key_types', coalesce((
      select json_agg(f.algorithm order by f.algorithm) from keys.fallback_keys f
      where f.user_id = p_user and f.device_id = p_device and not f.used), '[]')
  )::text;
$$;

-- Drops what there is of the devices, without telling anybody. Their locks are taken already.
create function keys.drop_devices(p_user text, p_devices text[]) returns void
language plpgsql set enable_seqscan = off as $$
begin
  delete from keys.devices where user_id = p_user and device_id = any (p_devices);
  delete from keys.one_time_keys where user_id = p_user and device_id = any (p_devices);
  delete from keys.fallback_keys where user_id = p_user and device_id = any (p_devices);
  delete from keys.dehydrated_devices where user_id = p_user and device_id = any (p_devices);
  delete from keys.signatures where user_id = p_user and target = any (p_devices);
  delete from keys.signatures where signer = p_user and signer_key in (select 'ed25519:' || d from unnest(p_devices) d);
end $$;

-- Stores what a device uploads. The outcomes:
--   stored    with the counts, and the position of the last entry if anything changed
--   conflict  another one-time key has the id `name` already, namely `key`; nothing is stored
--   full      the device would have more than p_most one-time keys; nothing is stored
-- p_device_keys is null where the upload has none. A key that was claimed is remembered for p_spent_ms.
create function keys.upload(
  p_user text, p_device text, p_identity text, p_device_keys text,
  p_algorithms text[], p_key_ids text[], p_keys text[],
  p_fallback_algorithms text[], p_fallback_ids text[], p_fallback_keys text[],
  p_most integer, p_spent_ms bigint
) returns table (outcome text, name text, key text, counts text, "position" bigint)
language plpgsql set enable_seqscan = off as $$
#variable_conflict use_column
declare
  v_is_new boolean;
  v_conflict keys.one_time_keys;
  v_one_time integer;
  v_fallback integer;
  v_device integer := 0;
  v_counts text;
  v_position bigint;
begin
  perform keys.lock_devices(array[p_user], array[p_device]);
  v_is_new := coalesce(p_identity <> (select d.identity from keys.devices d where d.user_id = p_user and d.device_id = p_device), false);
  if not v_is_new then
    select k.* into v_conflict
    from unnest(p_algorithms, p_key_ids, p_keys) as n(algorithm, key_id, key)
    join keys.one_time_keys k on k.user_id = p_user and k.device_id = p_device and k.algorithm = n.algorithm and k.key_id = n.key_id
    where k.key <> n.key
    limit 1;
    if found then
      return query select 'conflict', v_conflict.algorithm || ':' || v_conflict.key_id, v_conflict.key, null::text, null::bigint;
      return;
    end if;
  end if;
  if (
    select count(*) from (
      select k.algorithm, k.key_id from keys.one_time_keys k where k.user_id = p_user and k.device_id = p_device and k.claimed_at is null
      union
      select n.algorithm, n.key_id from unnest(p_algorithms, p_key_ids) as n(algorithm, key_id)
    ) together
  ) > p_most then
    return query select 'full', null::text, null::text, null::text, null::bigint;
    return;
  end if;

  -- Keys and signatures of the device that had this id before are of no use to anybody.
  if v_is_new then perform keys.drop_devices(p_user, array[p_device]); end if;
  if p_device_keys is not null then
    insert into keys.devices as d (user_id, device_id, identity, keys) values (p_user, p_device, p_identity, p_device_keys)
    on conflict (user_id, device_id) do update set identity = excluded.identity, keys = excluded.keys where d.keys <> excluded.keys;
    get diagnostics v_device = row_count;
  end if;
  delete from keys.one_time_keys k
  where k.user_id = p_user and k.device_id = p_device and k.claimed_at < now() - p_spent_ms * interval '1 millisecond';
  insert into keys.one_time_keys (user_id, device_id, algorithm, key_id, key)
  select p_user, p_device, n.algorithm, n.key_id, n.key from unnest(p_algorithms, p_key_ids, p_keys) as n(algorithm, key_id, key)
  on conflict (user_id, device_id, algorithm, key_id) do nothing;
  get diagnostics v_one_time = row_count;
  -- The same fallback key again stays as used as it is.
  insert into keys.fallback_keys as f (user_id, device_id, algorithm, key_id, key)
  select p_user, p_device, n.algorithm, n.key_id, n.key
  from unnest(p_fallback_algorithms, p_fallback_ids, p_fallback_keys) as n(algorithm, key_id, key)
  on conflict (user_id, device_id, algorithm) do update set key_id = excluded.key_id, key = excluded.key, used = false
  where f.key_id <> excluded.key_id or f.key <> excluded.key;
  get diagnostics v_fallback = row_count;

  v_counts := keys.counts(p_user, p_device);
  if v_one_time + v_fallback > 0 or v_is_new then
    v_position := log.append_one('session', p_user, p_device, 'one_time_keys', v_counts);
  end if;
  if v_device > 0 then v_position := log.append_one('device_list', p_user, null, 'changed', '{}'); end if;
  return query select 'stored', null::text, null::text, v_counts, v_position;
end $$;

-- Hands out one key for each device that is asked for: a one-time key, oldest first, that nobody else gets; where there is none,
-- the fallback key. What one claimer has taken and not yet committed is passed over by the others, never handed out twice.
-- Each row has the position of the last entry, or null where nothing changed.
create function keys.claim(p_users text[], p_devices text[], p_algorithms text[])
returns table (user_id text, device_id text, algorithm text, key_id text, key text, "position" bigint)
language plpgsql set enable_seqscan = off as $$
#variable_conflict use_column
declare
  v_one_time keys.one_time_keys[];
  v_fallback keys.fallback_keys[];
  v_users text[];
  v_devices text[];
  v_counts text[];
  v_position bigint;
begin
  -- For the counts below; that a key is handed out once does not rest on it.
  perform keys.lock_devices(p_users, p_devices);
  with picked as materialized (
    select free.id
    from unnest(p_users, p_devices, p_algorithms) as w(user_id, device_id, algorithm)
    cross join lateral (
      select k.id from keys.one_time_keys k
      where k.user_id = w.user_id and k.device_id = w.device_id and k.algorithm = w.algorithm and k.claimed_at is null
      order by k.id limit 1
      for update skip locked
    ) free
  ), claimed as (
    update keys.one_time_keys k set claimed_at = now() from picked p where k.id = p.id returning k.*
  )
  select coalesce(array_agg(c::keys.one_time_keys), '{}') into v_one_time from claimed c;

  select coalesce(array_agg(f), '{}') into v_fallback
  from unnest(p_users, p_devices, p_algorithms) as w(user_id, device_id, algorithm)
  join keys.fallback_keys f on f.user_id = w.user_id and f.device_id = w.device_id and f.algorithm = w.algorithm
  where not exists (select 1 from unnest(v_one_time) c where c.user_id = w.user_id and c.device_id = w.device_id);
  update keys.fallback_keys f set used = true
  from unnest(v_fallback) u
  where f.user_id = u.user_id and f.device_id = u.device_id and f.algorithm = u.algorithm and not f.used;

  -- Counted before the head of the log is locked, for which everybody waits.
  select array_agg(c.user_id), array_agg(c.device_id), array_agg(keys.counts(c.user_id, c.device_id)) into v_users, v_devices, v_counts
  from (
    select o.user_id, o.device_id from unnest(v_one_time) o
    union all
    select u.user_id, u.device_id from unnest(v_fallback) u where not u.used
  ) c;
  select max(log.append_one('session', c.user_id, c.device_id, 'one_time_keys', c.counts)) into v_position
  from unnest(v_users, v_devices, v_counts) as c(user_id, device_id, counts);
  return query
    select o.user_id, o.device_id, o.algorithm, o.key_id, o.key, v_position from unnest(v_one_time) o
    union all
    select u.user_id, u.device_id, u.algorithm, u.key_id, u.key, v_position from unnest(v_fallback) u;
end $$;

-- Stores cross-signing keys. p_signers has, for each key, the master keys that signed it, with a space between them. The outcomes:
--   stored     with the position of the entry
--   unchanged  these are the keys that are there already
--   exists     there is a master key, and p_authenticated is false
--   no_master  neither in the upload nor stored
--   unsigned   another key than the master key is not signed by it
create function keys.put_cross_signing(
  p_user text, p_usages text[], p_public_keys text[], p_keys text[], p_signers text[], p_authenticated boolean
) returns table (outcome text, "position" bigint)
language plpgsql set enable_seqscan = off as $$
#variable_conflict use_column
declare
  v_stored_master text;
  v_master text;
  v_old text[];
begin
  perform keys.lock_user(p_user);
  select c.public_key into v_stored_master from keys.cross_signing c where c.user_id = p_user and c.usage = 'master';
  v_master := coalesce((select n.public_key from unnest(p_usages, p_public_keys) as n(usage, public_key) where n.usage = 'master'), v_stored_master);
  if v_master is null then return query select 'no_master', null::bigint; return; end if;
  if not exists (
    select 1 from unnest(p_usages, p_public_keys) as n(usage, public_key)
    where not exists (select 1 from keys.cross_signing c where c.user_id = p_user and c.usage = n.usage and c.public_key = n.public_key)
  ) then
    return query select 'unchanged', null::bigint;
    return;
  end if;
  if v_stored_master is not null and not p_authenticated then return query select 'exists', null::bigint; return; end if;
  if exists (
    select 1 from unnest(p_usages, p_signers) as n(usage, signers)
    where n.usage <> 'master' and v_master <> all (string_to_array(n.signers, ' '))
  ) then
    return query select 'unsigned', null::bigint;
    return;
  end if;

  -- Keys that are replaced, and those that only the replaced master key had signed, go with all signatures of them and by them.
  with gone as (
    delete from keys.cross_signing c
    where c.user_id = p_user and not exists (
        select 1 from unnest(p_usages, p_public_keys) as n(usage, public_key) where n.usage = c.usage and n.public_key = c.public_key
      ) and (c.usage = any (p_usages) or v_master is distinct from v_stored_master)
    returning c.public_key
  )
  select coalesce(array_agg(g.public_key), '{}') into v_old from gone g;
  delete from keys.signatures s where s.user_id = p_user and s.target = any (v_old);
  delete from keys.signatures s where s.signer = p_user and s.signer_key in (select 'ed25519:' || o from unnest(v_old) o);
  insert into keys.cross_signing (user_id, usage, public_key, keys)
  select p_user, n.usage, n.public_key, n.keys from unnest(p_usages, p_public_keys, p_keys) as n(usage, public_key, keys)
  on conflict (user_id, usage) do update set public_key = excluded.public_key, keys = excluded.keys;
  return query select 'stored', log.append_one('device_list', p_user, null, 'changed', '{}');
end $$;

-- Stores signatures by one person. A signature of somebody else's key is for the signer's eyes, so only they are told of it.
create function keys.put_signatures(p_signer text, p_users text[], p_targets text[], p_signer_keys text[], p_signatures text[])
returns bigint
language plpgsql set enable_seqscan = off as $$
declare
  v_users text[];
begin
  perform keys.lock_user(p_signer);
  with stored as (
    insert into keys.signatures as s (user_id, target, signer, signer_key, signature)
    select n.user_id, n.target, p_signer, n.signer_key, n.signature
    from unnest(p_users, p_targets, p_signer_keys, p_signatures) as n(user_id, target, signer_key, signature)
    on conflict (user_id, target, signer, signer_key) do update set signature = excluded.signature
    where s.signature <> excluded.signature
    returning s.user_id
  )
  select array_agg(distinct stored.user_id) into v_users from stored;
  return (
    select max(case
      when u = p_signer then log.append_one('device_list', u, null, 'changed', '{}')
      else log.append_one('device_list', u, null, 'signed', json_build_object('by', p_signer)::text)
    end)
    from unnest(v_users) u
  );
end $$;

-- Drops what there is of devices that are gone; whoever ended them told of it.
create function keys.forget_devices(p_user text, p_devices text[]) returns void
language plpgsql as $$
begin
  perform keys.lock_devices(array_fill(p_user, array[cardinality(p_devices)]), p_devices);
  perform keys.drop_devices(p_user, p_devices);
end $$;

-- Drops everything of the person: also their backups, and the signatures that they made.
create function keys.forget_user(p_user text) returns bigint
language plpgsql set enable_seqscan = off as $$
begin
  perform keys.lock_user(p_user);
  perform keys.forget_devices(p_user, (
    select coalesce(array_agg(d.device_id), '{}')
    from (
      select device_id from keys.devices where user_id = p_user
      union select device_id from keys.one_time_keys where user_id = p_user
      union select device_id from keys.fallback_keys where user_id = p_user
      union select device_id from keys.dehydrated_devices where user_id = p_user
    ) d
  ));
  delete from keys.cross_signing where user_id = p_user;
  delete from keys.signatures where user_id = p_user;
  delete from keys.signatures where signer = p_user;
  delete from keys.backup_keys where user_id = p_user;
  delete from keys.backups where user_id = p_user;
  return log.append_one('device_list', p_user, null, 'changed', '{}');
end $$;

-- Takes the place of the person's dehydrated device. Gives what keys.upload gives, and the device that is gone, if there was another.
create function keys.put_dehydrated(
  p_user text, p_device text, p_display_name text, p_device_data text, p_identity text, p_device_keys text,
  p_algorithms text[], p_key_ids text[], p_keys text[],
  p_fallback_algorithms text[], p_fallback_ids text[], p_fallback_keys text[],
  p_most integer, p_spent_ms bigint
) returns table (outcome text, name text, key text, "position" bigint, replaced text)
language plpgsql set enable_seqscan = off as $$
#variable_conflict use_column
declare
  v_replaced text;
  v_upload record;
begin
  perform keys.lock_user(p_user);
  select d.device_id into v_replaced from keys.dehydrated_devices d where d.user_id = p_user and d.device_id <> p_device;
  perform keys.lock_devices(array[p_user, p_user], array[p_device, coalesce(v_replaced, p_device)]);
  select * into v_upload from keys.upload(
    p_user, p_device, p_identity, p_device_keys, p_algorithms, p_key_ids, p_keys,
    p_fallback_algorithms, p_fallback_ids, p_fallback_keys, p_most, p_spent_ms);
  if v_upload.outcome = 'stored' then
    if v_replaced is not null then perform keys.drop_devices(p_user, array[v_replaced]); end if;
    insert into keys.dehydrated_devices (user_id, device_id, display_name, device_data)
    values (p_user, p_device, p_display_name, p_device_data)
    on conflict (user_id) do update set display_name = excluded.display_name, device_data = excluded.device_data;
  end if;
  return query select v_upload.outcome, v_upload.name, v_upload.key, v_upload."position", v_replaced;
end $$;

-- Drops the person's dehydrated device. No row where there is none.
create function keys.delete_dehydrated(p_user text) returns table (device_id text, "position" bigint)
language plpgsql as $$
#variable_conflict use_column
declare
  v_device text;
begin
  perform keys.lock_user(p_user);
  select d.device_id into v_device from keys.dehydrated_devices d where d.user_id = p_user;
  if not found then return; end if;
  perform keys.forget_devices(p_user, array[v_device]);
  return query select v_device, log.append_one('device_list', p_user, null, 'changed', '{}');
end $$;

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
