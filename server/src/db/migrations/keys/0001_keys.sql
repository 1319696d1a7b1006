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
