-- The keys of one device: what it uploads, and what others claim of it.

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
