-- compatible since: 0001
-- What operators do with files: see server/src/media/operations.ts.

alter table media.media
  -- Nobody gets it any more, and nobody who uploads the same bytes gets around that.
  add column quarantined_at timestamptz,
  add column quarantined_by text,
  -- It is kept, whatever its age.
  add column protected boolean not null default false;
create index if not exists media_user on media.media (user_id, created_at);
create index if not exists media_created on media.media (created_at, media_id);
create index if not exists media_sha256 on media.media (sha256) where sha256 is not null;
create index if not exists thumbnails_made on media.thumbnails (thumbnail_sha256);

-- Bytes that were, or are being, taken out of the store. It is written before they are, together with what needed them: whoever
-- uploads the same bytes meanwhile looks here when their own record is written, and one of the two sees the other.
create table media.removed_blobs (
  sha256 text primary key,
  removed_at timestamptz not null default now(),
  is_done boolean not null default false
);
create index removed_blobs_open on media.removed_blobs (removed_at) where not is_done;

-- Files that something points to, as a run of the retention has found them. Each run has its own, so that a worker who wakes up late
-- takes nothing from the run that is under way.
create table media.referenced (
  run bigint not null,
  media_id text not null,
  primary key (run, media_id)
);
