-- compatible since: 0000
-- What clients of sliding sync have been sent: see docs/decisions/0050-sliding-sync-keeps-steps.md. Losing all of it costs each
-- client one answer that begins anew.

create table sync.connections (
  session_id bigint not null,
  -- The client's own name for it: a session may have several at once.
  conn_id text not null,
  used_at timestamptz not null default now(),
  primary key (session_id, conn_id)
);
create index connections_used on sync.connections (used_at);

-- One row for each answer that changed what the client has: what changed, and the step it began from. The token of the answer
-- names its step, so a client that asks twice with one token begins twice from the same.
create table sync.steps (
  session_id bigint not null,
  conn_id text not null,
  step bigint not null,
  -- null: the row says everything.
  base bigint,
  -- In which order they were made.
  made bigint generated always as identity,
  state text not null,
  primary key (session_id, conn_id, step),
  foreign key (session_id, conn_id) references sync.connections on delete cascade
);

-- Notes a step. The client has shown that it got the last one of p_chain: of what was made before that, only p_chain is still
-- needed. Of steps made since, which lost a race or whose answers did not arrive, the newest p_siblings stay.
create function sync.take_step(
  p_session bigint, p_conn text, p_step bigint, p_base bigint, p_state text, p_chain bigint[], p_connections integer, p_siblings integer
) returns void
language plpgsql as $$
begin
  -- Nobody is told that this lasts: a client whose step is lost with a crash starts over.
  perform set_config('synchronous_commit', 'off', true);
  insert into sync.connections (session_id, conn_id) values (p_session, p_conn)
  on conflict (session_id, conn_id) do update set used_at = clock_timestamp();
  delete from sync.connections where session_id = p_session and conn_id in (
    select conn_id from sync.connections where session_id = p_session and conn_id <> p_conn
    order by used_at desc, conn_id offset p_connections - 1);
  insert into sync.steps (session_id, conn_id, step, base, state) values (p_session, p_conn, p_step, p_base, p_state);
  delete from sync.steps s
  where s.session_id = p_session and s.conn_id = p_conn and s.step <> p_step and s.step <> all (p_chain)
    and (s.made < (select max(c.made) from sync.steps c where c.session_id = p_session and c.conn_id = p_conn and c.step = any (p_chain))
      or s.step not in (
        select n.step from sync.steps n
        where n.session_id = p_session and n.conn_id = p_conn and n.step <> p_step and n.step <> all (p_chain)
        order by n.made desc limit p_siblings));
end $$;
