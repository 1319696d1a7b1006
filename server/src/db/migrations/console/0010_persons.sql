-- compatible since: 0000
-- What a person gets who asks for everything that the server has of them, and the proof that it has it no more.
-- See server/src/person.

create table console.exports (
  job_id bigint primary key,
  user_id text not null,
  created_by text not null,
  created_at timestamptz not null default now(),
  -- Null until it is whole.
  ready_at timestamptz,
  -- After that its parts are removed.
  expires_at timestamptz,
  -- JSON: each part with its number of records and its SHA-256.
  manifest text
);
create index exports_user on console.exports (user_id, job_id desc);
create index exports_expiry on console.exports (expires_at);

create table console.export_parts (
  job_id bigint not null references console.exports on delete cascade,
  section text not null,
  number integer not null,
  records integer not null,
  sha256 text not null,
  -- JSON lines, packed with gzip.
  content bytea not null,
  primary key (job_id, section, number)
);

-- Proofs stay.
create table console.erasures (
  job_id bigint primary key,
  user_id text not null,
  created_by text not null,
  ended_at timestamptz not null default now(),
  -- JSON: what was removed and what is left, of each section.
  proof text not null
);
create index erasures_user on console.erasures (user_id);
