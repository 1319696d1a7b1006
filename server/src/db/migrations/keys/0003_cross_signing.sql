-- The keys of a person, and signatures.

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
