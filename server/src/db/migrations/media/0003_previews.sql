-- compatible since: 0001
-- Previews of links. The address itself is not kept, since it is part of what people wrote: a link is found by its hash.
create table media.previews (
  url_sha256 text primary key,
  -- JSON as it is answered; null: it could not be made.
  said text,
  -- The picture, in media.media.
  image_id text,
  expires_at timestamptz not null
);
create index previews_expires on media.previews (expires_at);
create index previews_image on media.previews (image_id) where image_id is not null;
