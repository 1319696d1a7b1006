-- The one ordered log, and the projections that the append keeps in step with it: what a room's state is, who is a member,
-- how far each person has read, and each person's account data. A projection can be rebuilt from the entries alone.

-- The head. Its row lock serialises the appends, so that commit order is position order: a reader that has seen
-- position n never finds a new entry at or below n. A sequence does not give that.
create table log.head (
  one boolean primary key default true check (one),
  position bigint not null default 0,
  -- The history epoch stands in every token; a restore from backup raises it, and clients resync.
  epoch integer not null default 1
) with (fillfactor = 10);
insert into log.head default values;

create type log.kind as enum ('event', 'receipt', 'account_data', 'device_list', 'to_device', 'session');

create table log.entries (
  position bigint primary key,
  kind log.kind not null,
  room_id text,
  -- event: the sender. receipt: the reader. Otherwise: whose it is.
  user_id text,
  -- to_device: the target device.
  device_id text,
  event_id text,
  type text,
  state_key text,
  ts bigint,
  relates_to text,
  relation_type text,
  redacts text,
  -- Who sent it and under which transaction id: told back to that session alone (unsigned.transaction_id).
  session_id bigint,
  txn_id text,
  -- JSON, kept as the text that clients get. Never jsonb: that refuses \u0000 and reorders members.
  body text not null,
  -- The members of `unsigned` that are the same for every reader: JSON, or null for none.
  unsigned text
);
create unique index entries_event_id on log.entries (event_id) where event_id is not null;
create index entries_room on log.entries (room_id, position) where kind = 'event';
create index entries_state on log.entries (room_id, type, state_key, position) where kind = 'event' and state_key is not null;
create index entries_relations on log.entries (relates_to, position) where relates_to is not null;
create index entries_threads on log.entries (room_id, relates_to, position) where relation_type = 'm.thread';
create index entries_to_device on log.entries (user_id, device_id, position) where kind = 'to_device';
create index entries_device_list on log.entries (position) where kind = 'device_list';

-- One row for each acknowledged request that carried a transaction id: a retry gets the first answer, from any replica.
create table log.transactions (
  session_id bigint not null,
  txn_key text not null,
  answer text not null,
  primary key (session_id, txn_key)
);

create table log.rooms (
  room_id text primary key,
  room_version text not null,
  -- The position of the newest state event that is not a membership. A send that was authorised against an older version is refused.
  version bigint not null
);

-- Current state without memberships, which have a table of their own.
create table log.state (
  room_id text not null,
  type text not null,
  state_key text not null,
  position bigint not null,
  event_id text not null,
  primary key (room_id, type, state_key)
);

create table log.members (
  room_id text not null,
  user_id text not null,
  membership text not null,
  position bigint not null,
  event_id text not null,
  forgotten boolean not null default false,
  primary key (user_id, room_id)
);
create index members_room on log.members (room_id, membership);

create table log.receipts (
  room_id text not null,
  user_id text not null,
  type text not null,
  -- '' is the unthreaded receipt.
  thread_id text not null,
  event_id text not null,
  event_position bigint not null,
  ts bigint not null,
  position bigint not null,
  primary key (room_id, user_id, type, thread_id)
);
create index receipts_position on log.receipts (room_id, position);
create index receipts_user on log.receipts (user_id, room_id);

create table log.account_data (
  user_id text not null,
  -- '' is global account data.
  room_id text not null,
  type text not null,
  position bigint not null,
  content text not null,
  primary key (user_id, room_id, type)
);
create index account_data_position on log.account_data (user_id, position);

-- Keeps the projections of room state in step with the entries above p_after.
create function log.project_state(p_after bigint, p_entries json) returns void
language plpgsql as $$
begin
  insert into log.rooms (room_id, room_version, version)
  select e.room_id, n.room_version, e.position
  from log.entries e
  join json_to_recordset(p_entries) as n(event_id text, room_version text) on n.event_id = e.event_id
  where e.position > p_after and e.kind = 'event' and e.type = 'm.room.create' and e.state_key = '';

  insert into log.state as s (room_id, type, state_key, position, event_id)
  select distinct on (room_id, type, state_key) room_id, type, state_key, position, event_id
  from log.entries
  where position > p_after and kind = 'event' and state_key is not null and type <> 'm.room.member'
  order by room_id, type, state_key, position desc
  on conflict (room_id, type, state_key) do update set position = excluded.position, event_id = excluded.event_id;

  update log.rooms r set version = v.position
  from (
    select room_id, max(position) as position from log.entries
    where position > p_after and kind = 'event' and state_key is not null and type <> 'm.room.member'
    group by room_id
  ) v
  where r.room_id = v.room_id;

  insert into log.members as m (room_id, user_id, membership, position, event_id)
  select distinct on (e.room_id, e.state_key) e.room_id, e.state_key, n.membership, e.position, e.event_id
  from log.entries e
  join json_to_recordset(p_entries) as n(event_id text, membership text) on n.event_id = e.event_id
  where e.position > p_after and e.kind = 'event' and e.type = 'm.room.member' and e.state_key is not null
  order by e.room_id, e.state_key, e.position desc
  on conflict (user_id, room_id) do update
  set membership = excluded.membership, position = excluded.position, event_id = excluded.event_id,
      -- Forgetting ends with the next membership that is not leaving.
      forgotten = m.forgotten and excluded.membership in ('leave', 'ban');
end $$;

create function log.project_receipts(p_after bigint, p_entries json) returns void
language sql as $$
  insert into log.receipts as r (room_id, user_id, type, thread_id, event_id, event_position, ts, position)
  select distinct on (e.room_id, e.user_id, e.type, e.state_key)
    e.room_id, e.user_id, e.type, e.state_key, n.receipt_event, n.receipt_position, e.ts, e.position
  from log.entries e
  join json_to_recordset(p_entries) as n(room text, "user" text, type text, state_key text, receipt_event text, receipt_position bigint, body text)
    on n.room = e.room_id and n."user" = e.user_id and n.type = e.type and n.state_key = e.state_key and n.body = e.body
  where e.position > p_after and e.kind = 'receipt'
  order by e.room_id, e.user_id, e.type, e.state_key, n.receipt_position desc, e.position desc
  on conflict (room_id, user_id, type, thread_id) do update
  set event_id = excluded.event_id, event_position = excluded.event_position, ts = excluded.ts, position = excluded.position
  -- A receipt never goes back, whatever the order in which a person's devices sent them.
  where excluded.event_position >= r.event_position;
$$;

create function log.project_account_data(p_after bigint) returns void
language sql as $$
  insert into log.account_data (user_id, room_id, type, position, content)
  select distinct on (user_id, coalesce(room_id, ''), type) user_id, coalesce(room_id, ''), type, position, body
  from log.entries
  where position > p_after and kind = 'account_data'
  order by user_id, coalesce(room_id, ''), type, position desc
  on conflict (user_id, room_id, type) do update set position = excluded.position, content = excluded.content;
$$;

-- A redacted event loses its content where it stands: what is gone must be gone from the table too.
create function log.project_redactions(p_after bigint, p_entries json) returns void
language sql as $$
  update log.entries t
  set body = n.redacted_body, unsigned = n.redacted_unsigned, relates_to = null, relation_type = null
  from log.entries e
  join json_to_recordset(p_entries) as n(event_id text, redacted_body text, redacted_unsigned text) on n.event_id = e.event_id
  where e.position > p_after and e.kind = 'event' and e.redacts is not null and n.redacted_body is not null
    and t.event_id = e.redacts and t.room_id = e.room_id;

  -- A state event repeats the content of the one that it replaced; that is gone too.
  update log.entries s
  set unsigned = left(s.unsigned, position(',"prev_content":' in s.unsigned) - 1) || '}'
  from log.entries e
  join json_to_recordset(p_entries) as n(event_id text, redacted_body text) on n.event_id = e.event_id
  join log.entries t on t.event_id = e.redacts and t.room_id = e.room_id
  where e.position > p_after and e.kind = 'event' and n.redacted_body is not null and t.state_key is not null
    and s.position = (
      select min(x.position) from log.entries x
      where x.room_id = t.room_id and x.kind = 'event' and x.type = t.type and x.state_key = t.state_key and x.position > t.position)
    and s.unsigned like '{"replaces_state":%,"prev_content":%';
$$;

-- The append: everything that an entry changes, in one call, in one implicit transaction.
--
-- A submission is what stands or falls together: one send, or the ten events of a new room.
--   p_submissions  [{i, room, version, session, txn, answer}]   version: null = not checked, 0 = the room must be new
--   p_members      [{i, room, user, position}]                  memberships that submission i was authorised against; 0 = none
--   p_entries      [{i, n, kind, room, user, …}]                n orders the entries of one submission
--   p_effects      bits: 1 state, 2 receipts, 4 account data, 8 redactions
-- Gives {epoch, head, count, refused: [[i, 'repeated' | 'stale', first answer], …]}: the accepted entries stand at
-- head+1 … head+count in the order of (i, n); every submission that is not named as refused is in.
create function log.append(p_submissions json, p_members json, p_entries json, p_effects integer) returns json
language plpgsql security definer
set search_path = pg_catalog, pg_temp
-- The plan is made once per session, maybe while the tables are empty: it must never become a scan of a table that grew.
set enable_seqscan = off
as $$
declare
  v_head bigint;
  v_epoch integer;
  v_count bigint;
  v_refused json;
begin
  select position, epoch into v_head, v_epoch from log.head for update;

  -- From here on this transaction is alone, and each statement sees all that committed before it.
  with outdated as materialized (
    select distinct m.i
    from json_to_recordset(p_members) as m(i integer, room text, "user" text, position bigint)
    where m.position <> coalesce((select c.position from log.members c where c.user_id = m."user" and c.room_id = m.room), 0)
  ), submission as materialized (
    select s.i, s.session, s.txn, s.answer,
      (select t.answer from log.transactions t where t.session_id = s.session and t.txn_key = s.txn) as first_answer,
      (s.version is not null and s.version <> coalesce((select r.version from log.rooms r where r.room_id = s.room), 0))
      or s.i in (select i from outdated) as stale
    from json_to_recordset(p_submissions) as s(i integer, room text, version bigint, session bigint, txn text, answer text)
  ), numbered as (
    select e.*, v_head + row_number() over (order by e.i, e.n) as position
    from json_to_recordset(p_entries) as e(
      i integer, n integer, kind log.kind, room text, "user" text, device text, event_id text, type text, state_key text, ts bigint,
      relates_to text, relation_type text, redacts text, session bigint, txn_id text, body text, unsigned text)
    join submission s on s.i = e.i
    where s.first_answer is null and not s.stale
  ), inserted as (
    insert into log.entries (position, kind, room_id, user_id, device_id, event_id, type, state_key, ts,
      relates_to, relation_type, redacts, session_id, txn_id, body, unsigned)
    select position, kind, room, "user", device, event_id, type, state_key, ts,
      relates_to, relation_type, redacts, session, txn_id, body, unsigned
    from numbered
  ), remembered as (
    insert into log.transactions (session_id, txn_key, answer)
    select session, txn, answer from submission where txn is not null and first_answer is null and not stale
  )
  select
    (select count(*) from numbered),
    (select json_agg(json_build_array(i, case when first_answer is null then 'stale' else 'repeated' end, first_answer))
     from submission where stale or first_answer is not null)
  into v_count, v_refused;

  if v_count > 0 then
    update log.head set position = v_head + v_count;
    if p_effects & 1 > 0 then perform log.project_state(v_head, p_entries); end if;
    if p_effects & 2 > 0 then perform log.project_receipts(v_head, p_entries); end if;
    if p_effects & 4 > 0 then perform log.project_account_data(v_head); end if;
    if p_effects & 8 > 0 then perform log.project_redactions(v_head, p_entries); end if;
  end if;
  return json_build_object('epoch', v_epoch, 'head', v_head, 'count', v_count, 'refused', v_refused);
end $$;

-- For a domain whose own change and its entry must stand or fall together: call it inside the function that makes the
-- change, as its last step. Entries of this kind carry no room and need no check.
create function log.append_one(p_kind log.kind, p_user text, p_device text, p_type text, p_body text) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_position bigint;
begin
  update log.head set position = position + 1 returning position into v_position;
  insert into log.entries (position, kind, user_id, device_id, type, body) values (v_position, p_kind, p_user, p_device, p_type, p_body);
  return v_position;
end $$;
