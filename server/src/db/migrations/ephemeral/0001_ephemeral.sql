-- What is true for a moment only. The tables are unlogged: a write waits for no disk, and a crash or a fail-over empties them,
-- which server/src/ephemeral is made for. Times are milliseconds since 1970, by the clock of the database.

-- One row: since when the store lives, and the number of the newest change. Its lock makes each exchange one step.
create unlogged table ephemeral.head (
  one boolean primary key default true check (one),
  born bigint not null,
  number bigint not null
);

create unlogged table ephemeral.typing (
  room_id text,
  user_id text,
  until_ms bigint not null,
  primary key (room_id, user_id)
) with (fillfactor = 70);
create index typing_until on ephemeral.typing (until_ms);

-- Rooms in which somebody types, or did within the horizon.
create unlogged table ephemeral.rooms (
  room_id text primary key,
  users text[] not null,
  changed bigint not null
) with (fillfactor = 70);
create index rooms_changed on ephemeral.rooms (changed);

create unlogged table ephemeral.sessions (
  user_id text,
  session_id text,
  state text not null,
  until_ms bigint not null,
  primary key (user_id, session_id)
) with (fillfactor = 70);
create index sessions_until on ephemeral.sessions (until_ms);

-- What the sessions of a person say together.
create unlogged table ephemeral.people (
  user_id text primary key,
  state text not null,
  status text,
  active_ms bigint not null,
  changed bigint not null
) with (fillfactor = 70);
create index people_changed on ephemeral.people (changed);

create unlogged table ephemeral.uploads (
  upload_id text primary key,
  user_id text not null,
  status text not null,
  bytes bigint not null,
  total bigint,
  until_ms bigint not null
) with (fillfactor = 70);

-- Token buckets, until they are full again.
create unlogged table ephemeral.buckets (
  name text primary key,
  tokens double precision not null,
  at_ms double precision not null,
  full_ms double precision not null
) with (fillfactor = 70);

create function ephemeral.now_ms() returns bigint language sql volatile as $$
  select floor(extract(epoch from clock_timestamp()) * 1000)::bigint
$$;

-- The functions below are plpgsql, whose plans are kept, and touch few rows by index, whatever the statistics say.

-- The rooms whose typing this changes: what is over ends, then what is asked for is set.
create function ephemeral.set_typing(p_operations jsonb, p_now_ms bigint) returns text[] language plpgsql volatile as $$
declare
  v_rooms text[];
begin
  with asked as materialized (
    select o ->> 'room' as room_id, o ->> 'user' as user_id, (o ->> 'timeout_ms')::bigint as timeout_ms
    from jsonb_array_elements(p_operations) o where o ? 'room'
  ), over as (
    delete from ephemeral.typing t where t.until_ms <= p_now_ms
      and not exists (select from asked a where a.room_id = t.room_id and a.user_id = t.user_id)
    returning t.room_id
  ), ended as (
    delete from ephemeral.typing t using asked a
    where a.timeout_ms <= 0 and t.room_id = a.room_id and t.user_id = a.user_id
    returning t.room_id
  ), begun as (
    insert into ephemeral.typing as t select room_id, user_id, p_now_ms + timeout_ms from asked where timeout_ms > 0
    on conflict (room_id, user_id) do update set until_ms = excluded.until_ms
    -- Of a row that is new.
    returning t.room_id, t.xmax = 0 as is_new
  )
  select array_agg(distinct room_id) into v_rooms from (
    select room_id from over union all select room_id from ended union all select room_id from begun where is_new) changed;
  return v_rooms;
end
$$;

-- The people whom this may change.
create function ephemeral.set_sessions(p_operations jsonb, p_now_ms bigint) returns text[] language plpgsql volatile as $$
declare
  v_people text[];
begin
  with asked as materialized (
    select o ->> 'user' as user_id, o ->> 'session' as session_id, o ->> 'state' as state,
      p_now_ms + (o ->> 'timeout_ms')::bigint - (o ->> 'idle_ms')::bigint as until_ms
    from jsonb_array_elements(p_operations) o where o ? 'session'
  ), over as (
    delete from ephemeral.sessions s where s.until_ms <= p_now_ms
      and not exists (select from asked a where a.user_id = s.user_id and a.session_id = s.session_id)
    returning s.user_id
  ), ended as (
    delete from ephemeral.sessions s using asked a
    where (a.state = 'offline' or a.until_ms <= p_now_ms) and s.user_id = a.user_id and s.session_id = a.session_id
  ), begun as (
    insert into ephemeral.sessions select user_id, session_id, state, until_ms from asked
    where state <> 'offline' and until_ms > p_now_ms
    on conflict (user_id, session_id) do update set state = excluded.state, until_ms = excluded.until_ms
  )
  select array_agg(distinct user_id) into v_people from (
    select user_id from over union all select user_id from asked) touched;
  return v_people;
end
$$;

-- Brings the touched people up to date. Gives whether that changed anybody.
create function ephemeral.settle_people(p_operations jsonb, p_touched text[], p_now_ms bigint, p_number bigint)
returns boolean language plpgsql volatile as $$
declare
  v_changed boolean;
begin
  with said as materialized (
    select o ->> 'user' as user_id,
      max(p_now_ms - (o ->> 'active_ms')::bigint) as active_ms,
      bool_or(o ? 'status') as has_status,
      (array_agg(o ->> 'status' order by nth desc) filter (where o ? 'status'))[1] as status
    from jsonb_array_elements(p_operations) with ordinality each (o, nth) where o ? 'session' group by 1
  ), together as (
    select t.user_id,
      case when bool_or(s.state = 'online') then 'online' when count(s.state) > 0 then 'unavailable' else 'offline' end as state
    from unnest(p_touched) t (user_id) left join ephemeral.sessions s using (user_id) group by 1
  ), settled as materialized (
    select n.user_id, n.state,
      case when said.has_status then said.status else p.status end as status,
      coalesce(greatest(p.active_ms, said.active_ms), p_now_ms) as active_ms,
      coalesce(p.user_id is null or p.state <> n.state
        or (said.has_status and p.status is distinct from said.status), false) as differs,
      p.changed
    from together n left join said using (user_id) left join ephemeral.people p on p.user_id = n.user_id
  ), written as (
    insert into ephemeral.people as p
    select user_id, state, status, active_ms, case when differs then p_number else changed end from settled
    on conflict (user_id) do update
      set state = excluded.state, status = excluded.status, active_ms = excluded.active_ms, changed = excluded.changed
  )
  select bool_or(differs) into v_changed from settled;
  return v_changed;
end
$$;

-- What is above p_after, or everything that is true.
create function ephemeral.news(p_head ephemeral.head, p_after bigint, p_is_whole boolean, p_most integer)
returns jsonb language plpgsql volatile as $$
declare
  v_typing jsonb;
  v_presence jsonb;
  v_upto bigint := p_head.number;
begin
  if p_is_whole then
    select jsonb_agg(jsonb_build_array(room_id, users[1:p_most], changed)) into v_typing
    from ephemeral.rooms where changed <= v_upto and users <> '{}';
    select jsonb_agg(jsonb_build_array(user_id, state, status, active_ms, changed)) into v_presence
    from ephemeral.people where changed <= v_upto and state <> 'offline';
  elsif p_after < v_upto then
    select jsonb_agg(jsonb_build_array(room_id, users[1:p_most], changed)) into v_typing
    from ephemeral.rooms where changed > p_after and changed <= v_upto;
    select jsonb_agg(jsonb_build_array(user_id, state, status, active_ms, changed)) into v_presence
    from ephemeral.people where changed > p_after and changed <= v_upto;
  end if;
  return jsonb_build_object(
    'born', p_head.born, 'upTo', v_upto, 'isWhole', p_is_whole, 'after', case when p_is_whole then 0 else p_after end,
    'now_ms', ephemeral.now_ms(),
    'end_ms', least((select min(until_ms) from ephemeral.typing), (select min(until_ms) from ephemeral.sessions)),
    'typing', coalesce(v_typing, '[]'), 'presence', coalesce(v_presence, '[]'));
end
$$;

-- One exchange: see server/src/ephemeral/store.ts. Where nothing is to be changed it takes no lock.
create function ephemeral.exchange(p_operations jsonb, p_after bigint, p_born bigint, p_horizon_ms bigint, p_most integer)
returns jsonb language plpgsql volatile set enable_seqscan = off as $$
declare
  v_head ephemeral.head;
  v_now_ms bigint := ephemeral.now_ms();
  v_number bigint;
  v_rooms text[];
  v_people text[];
  v_changed boolean := false;
begin
  select * into v_head from ephemeral.head;
  if not found or v_head.number < p_after or p_operations <> '[]'
    or exists (select from ephemeral.typing where until_ms <= v_now_ms)
    or exists (select from ephemeral.sessions where until_ms <= v_now_ms)
  then
    insert into ephemeral.head (born, number) values (greatest(v_now_ms, p_after + 1), greatest(v_now_ms, p_after + 1))
    on conflict do nothing;
    select * into v_head from ephemeral.head for update;
    v_now_ms := ephemeral.now_ms();
    v_head.number := greatest(v_head.number, p_after);
    v_number := greatest(v_head.number + 1, v_now_ms);
    v_rooms := ephemeral.set_typing(p_operations, v_now_ms);
    if v_rooms is not null then
      v_changed := true;
      insert into ephemeral.rooms as r
      select room_id, array(select user_id from ephemeral.typing t where t.room_id = each.room_id order by user_id), v_number
      from unnest(v_rooms) each (room_id)
      on conflict (room_id) do update set users = excluded.users, changed = excluded.changed;
    end if;
    v_people := ephemeral.set_sessions(p_operations, v_now_ms);
    if v_people is not null then
      v_changed := ephemeral.settle_people(p_operations, v_people, v_now_ms, v_number) or v_changed;
    end if;
    if v_changed then v_head.number := v_number; end if;
    update ephemeral.head set number = v_head.number where number <> v_head.number;
  end if;
  return jsonb_build_object('isChanged', v_changed) || ephemeral.news(v_head, p_after,
    p_born <> v_head.born or (p_after < v_head.number and p_after < v_now_ms - p_horizon_ms), p_most);
end
$$;

-- Takes tokens from buckets. In the order of their names, so that two of these never wait for each other.
create function ephemeral.spend(p_spendings jsonb) returns jsonb language plpgsql volatile as $$
declare
  v_each record;
  v_bucket ephemeral.buckets;
  v_now_ms double precision;
  v_taken boolean;
  v_answers jsonb := '{}';
begin
  for v_each in
    select nth, o ->> 'name' as name, (o ->> 'burst')::double precision as burst,
      (o ->> 'perSecond')::double precision as per_second, (o ->> 'tokens')::double precision as tokens,
      (o ->> 'isSpent')::boolean as is_spent
    from jsonb_array_elements(p_spendings) with ordinality each (o, nth) order by 2, 1
  loop
    insert into ephemeral.buckets values (v_each.name, v_each.burst, 0, 0) on conflict do nothing;
    select * into v_bucket from ephemeral.buckets where name = v_each.name for update;
    v_now_ms := extract(epoch from clock_timestamp()) * 1000;
    v_bucket.tokens := least(v_each.burst,
      v_bucket.tokens + greatest(0, v_now_ms - v_bucket.at_ms) / 1000 * v_each.per_second);
    v_taken := v_each.is_spent or v_bucket.tokens >= v_each.tokens;
    if v_taken then v_bucket.tokens := greatest(-v_each.burst, v_bucket.tokens - v_each.tokens); end if;
    update ephemeral.buckets set tokens = v_bucket.tokens, at_ms = v_now_ms,
      full_ms = v_now_ms + (v_each.burst - v_bucket.tokens) / v_each.per_second * 1000
    where name = v_each.name;
    v_answers := v_answers || jsonb_build_object(
      v_each.nth::text, jsonb_build_object('isTaken', v_taken, 'tokens', v_bucket.tokens));
  end loop;
  return coalesce((select jsonb_agg(value order by key::bigint) from jsonb_each(v_answers)), '[]');
end
$$;

create function ephemeral.set_uploads(p_uploads jsonb, p_kept_ms bigint) returns void language sql volatile as $$
  insert into ephemeral.uploads
  select o ->> 'id', o ->> 'userId', o ->> 'status', (o ->> 'bytes')::bigint, (o ->> 'total')::bigint,
    ephemeral.now_ms() + p_kept_ms
  from jsonb_array_elements(p_uploads) o order by 1
  on conflict (upload_id) do update set status = excluded.status, bytes = excluded.bytes, total = excluded.total,
    until_ms = excluded.until_ms, user_id = excluded.user_id
$$;

-- Forgets what is over for so long that nobody asks for it any more.
create function ephemeral.sweep(p_horizon_ms bigint, p_kept_ms bigint) returns void language plpgsql volatile as $$
declare
  v_now_ms bigint := ephemeral.now_ms();
begin
  -- Under the same lock as an exchange, since both change many rows, in no certain order.
  perform from ephemeral.head for update;
  delete from ephemeral.rooms where users = '{}' and changed < v_now_ms - p_horizon_ms;
  delete from ephemeral.people where state = 'offline' and changed < v_now_ms - p_kept_ms;
  delete from ephemeral.uploads where upload_id in (
    select upload_id from ephemeral.uploads where until_ms <= v_now_ms order by 1 for update skip locked);
  delete from ephemeral.buckets where name in (
    select name from ephemeral.buckets where full_ms <= v_now_ms order by 1 for update skip locked);
end
$$;
