-- The ends of devices and people, and the device that outlives its session.

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
