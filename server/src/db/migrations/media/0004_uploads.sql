-- compatible since: 0001
-- Uploads that arrive in pieces: see server/src/media/uploads/. The file they become is in media.media from the beginning, without content.
create table media.uploads (
  media_id text primary key,
  user_id text not null,
  total_bytes bigint not null,
  -- What has arrived and is kept.
  offset_bytes bigint not null default 0,
  parts integer not null default 0,
  -- The file is whole. The record stays until it expires, for a client that did not hear of it.
  is_done boolean not null default false,
  content_type text not null,
  file_name text,
  -- As the client gave it, to be given back.
  metadata text,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index uploads_user on media.uploads (user_id, created_at);
create index uploads_expires on media.uploads (expires_at);

-- The pieces are blobs like files, by their hash; they go when the file is whole.
create table media.upload_parts (
  media_id text not null,
  start_bytes bigint not null,
  size_bytes bigint not null,
  sha256 text not null,
  primary key (media_id, start_bytes)
);
create index upload_parts_sha256 on media.upload_parts (sha256);
