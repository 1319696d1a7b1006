-- compatible since: 0000
-- An act that is not one transaction with its entry says first that it has begun: a process that ends in between leaves that.

alter table console.audit add column begun bigint;
comment on column console.audit.begun is 'The entry that said that this act has begun, where one did.';
-- Which acts have no end, and which entries are only the beginning of another.
create index audit_begun on console.audit (begun) where begun is not null;
create index audit_open on console.audit ("position") where outcome = 'begun';

-- An entry without `begun` has the hash that it always had.
create or replace function console.audit_hash(entry console.audit) returns bytea
language sql immutable as $$
  select sha256(convert_to('[' || string_agg(coalesce(to_json(value)::text, 'null'), ',' order by place) || ']', 'UTF8'))
  from unnest(array[
    encode(entry.previous_hash, 'hex'), entry."position"::text, entry.time_us::text, entry.actor, entry.via, entry.address,
    entry.device, entry.action, entry.target, entry.reason, entry."before", entry."after", entry.outcome, entry.error
  ] || case when entry.begun is null then array[]::text[] else array[entry.begun::text] end) with ordinality as of(value, place);
$$;
