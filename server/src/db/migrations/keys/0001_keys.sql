-- What end-to-end encryption keeps on the server: public keys, and secrets that only clients can read. Keys are JSON as text,
-- in canonical form, so that two uploads of the same key are the same text. Never jsonb: that refuses \u0000.

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
