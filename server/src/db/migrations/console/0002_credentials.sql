-- compatible since: 0000
-- Saved connections of the explorer to other databases. The password is sealed with a key of its own, which is wrapped with a master
-- key: see server/src/explorer/envelope.ts. Nothing here opens it.
create table console.explorer_connections (
  id text primary key,
  -- Whose it is: nobody else sees it, or connects with it.
  owner text not null,
  name text not null,
  host text not null,
  port integer not null,
  "database" text not null,
  "user" text not null,
  -- verify-full, require or disable.
  tls text not null,
  -- Certificates (PEM) that the server's is checked against, in place of those that everybody trusts.
  ca text,
  -- Grows with each change: a pool of connections is of one version.
  version bigint not null,
  created_ts bigint not null,
  wrapped_key bytea not null,
  -- Which master key it is wrapped with: a name, and nothing that helps to find the key.
  master_key text not null,
  sealed bytea not null
);
create index explorer_connections_owner on console.explorer_connections (owner, id);
create index explorer_connections_master_key on console.explorer_connections (master_key, id);
