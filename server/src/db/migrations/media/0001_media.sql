-- What people uploaded, and the thumbnails made from it. The bytes are in the blob store, by their hash.

create table media.media (
  media_id text primary key,
  user_id text not null,
  created_at timestamptz not null default now(),
  -- All null until the upload is complete: an id may be made first and filled later.
  sha256 text,
  size_bytes bigint,
  content_type text,
  file_name text
);
create index media_pending on media.media (user_id) where sha256 is null;

create table media.thumbnails (
  -- Of the original.
  sha256 text not null,
  width integer not null,
  height integer not null,
  method text not null,
  animated boolean not null,
  thumbnail_sha256 text not null,
  size_bytes bigint not null,
  content_type text not null,
  primary key (sha256, width, height, method, animated)
);
