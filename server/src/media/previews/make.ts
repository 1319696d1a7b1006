/** Makes the preview of a link. Specification: client-server-api, `GET /media/preview_url`. */
import { openRoom } from "../../blobs/parts.ts";
import type { Context } from "../../context.ts";
import { limits } from "../../limits.ts";
import type { GuardOptions } from "../../outward/guard.ts";
import { insertUploaded } from "../queries.ts";
import { refuseRemoved } from "../remove.ts";
import { readPicture } from "../render.ts";
import { blobsOf } from "../store.ts";
import { newMediaId, uriOf } from "../upload.ts";
import { PREVIEW_HOSTS } from "./config.ts";
import { type Fetched, fetchLinked, type Fetching } from "./fetch.ts";
import { readPage } from "./page.ts";

/** Whose the pictures of previews are: a user id that nobody can register. */
export const ownerOf = (ctx: Context): string => `@:${ctx.config.serverName}`;

export interface Preview {
  /** Members by their names; none where there is nothing to show. */
  said: Record<string, string | number>;
  /** The media id of its picture. */
  imageId: string | undefined;
}

const inMemory = openRoom(limits.previews_bytes);
const PAGES = "text/html, application/xhtml+xml;q=0.9, image/*;q=0.8";

/** Throws M_FORBIDDEN and M_INVALID_PARAM as the guard does, and Error where nothing can be fetched. */
export function makePreview(ctx: Context, url: string): Promise<Preview> {
  // What is fetched is in memory whole: the page, and then its picture.
  return inMemory.with(limits.previewAnswer_bytes, async () => {
    const deadline_ms = ctx.seams.monotonic_ms() + limits.previewDeadline_ms;
    const fetching = { seams: ctx.seams, guard: guardOf(ctx), deadline_ms };
    const found = await fetchLinked(url, PAGES, fetching);
    if (found.type.startsWith("image/")) return withPicture(ctx, {}, found);
    if (found.type !== "text/html" && found.type !== "application/xhtml+xml") return { said: {}, imageId: undefined };
    const page = await readPage(found.body, found.charset);
    const picture = page.image === undefined ? undefined : await fetchPicture(page.image, found.url, fetching);
    return withPicture(ctx, page.said, picture);
  });
}

function guardOf({ config }: Context): GuardOptions {
  return { allowed: config.previews.hosts, setting: PREVIEW_HOSTS, isPublicAllowed: true };
}

/** A page is shown without a picture that can not be had. */
async function fetchPicture(address: string, page: string, fetching: Fetching): Promise<Fetched | undefined> {
  if (!URL.canParse(address, page)) return undefined;
  return fetchLinked(new URL(address, page).href, "image/*", fetching).catch(() => undefined);
}

async function withPicture(ctx: Context, said: Preview["said"], found: Fetched | undefined): Promise<Preview> {
  const picture = found && (await readPicture(found.body).catch(() => undefined));
  if (!found || !picture || picture.pixels > limits.thumbnailSource_pixels) return { said, imageId: undefined };
  const stored = await blobsOf(ctx).put(found.body, { max_bytes: limits.previewAnswer_bytes });
  const contentType = `image/${picture.format}`;
  const mediaId = newMediaId(ctx);
  const uploaded = { ...stored, contentType, fileName: undefined };
  await insertUploaded(ctx, { mediaId, userId: ownerOf(ctx), uploaded });
  await refuseRemoved(ctx, { mediaId, sha256: stored.sha256 });
  const picked = {
    "og:image": uriOf(ctx, mediaId),
    "og:image:type": contentType,
    "og:image:width": picture.width,
    "og:image:height": picture.height,
    "matrix:image:size": stored.size_bytes,
  };
  return { said: { ...said, ...picked }, imageId: mediaId };
}
