/** Thumbnails. Specification: client-server-api, "Content repository", "Thumbnails". */
import { z } from "zod";
import { openRoom } from "../blobs/parts.ts";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { Answer, route } from "../http.ts";
import { limits } from "../limits.ts";
import { MEDIA_HEADERS, type Ready, readyMedia } from "./download.ts";
import { findThumbnail, insertThumbnail, type Thumbnail, type ThumbnailKey } from "./queries.ts";
import { type Picture, readPicture, render } from "./render.ts";
import { blobsOf } from "./store.ts";
import { type Method, type Size, sizeFor } from "./thumbnail-size.ts";

/** What an image library is given to read: images, and nothing that it hands on to other programs. */
const READABLE = /^image\/(jpeg|jpg|png|gif|webp|avif|apng)\b/i;

const query = z.looseObject({
  width: z.coerce.number().int().min(1),
  height: z.coerce.number().int().min(1),
  method: z.enum(["crop", "scale"]).default("scale"),
  animated: z.enum(["true", "false"]).optional(),
  timeout_ms: z.coerce.number().int().min(0).optional(),
});

export const thumbnail = route({
  method: "GET",
  path: "/_matrix/client/v1/media/thumbnail/:serverName/:mediaId",
  access: "session",
  rate: "media",
  query,
  async handle(request, ctx) {
    const media = await readyMedia(ctx, request as never);
    if (!READABLE.test(media.contentType))
      throw matrixError("M_UNKNOWN", "There is no thumbnail of this kind of file.", { status: 400 });
    const wish = wishOf(request.query);
    const made = (await findThumbnail(ctx, keyOf(media, wish))) ?? (await makeOnce(ctx, media, wish));
    const stream = await blobsOf(ctx).get(made.sha256);
    if (!stream) throw matrixError("M_NOT_FOUND", "The thumbnail is lost: its bytes are no longer in the store.");
    const headers = {
      ...MEDIA_HEADERS,
      "content-type": made.contentType,
      "content-length": String(made.size_bytes),
      "content-disposition": `inline; filename=thumbnail.${made.contentType.replace("image/", "").replace("jpeg", "jpg")}`,
    };
    return new Answer({ headers, payload: stream });
  },
});

interface Wish {
  method: Method;
  /** Larger than any image where the image itself is wanted. */
  box: Size;
  animated: boolean;
}

const WHOLE: Size = { width: 65_535, height: 65_535 };

function wishOf({ width, height, method, animated }: z.output<typeof query>): Wish {
  const box = sizeFor(method, { width, height });
  // What is to fill more than there is would lose its edges for nothing.
  return { method: box ? method : "scale", box: box ?? WHOLE, animated: animated === "true" };
}

function keyOf({ sha256, contentType }: Ready, { method, box, animated }: Wish): ThumbnailKey {
  const canMove = /^image\/(gif|webp|apng|png)\b/i.test(contentType);
  return { sha256, ...box, method, animated: animated && canMove };
}

/** Several people who open a room at once ask for the same thumbnail: it is made once. */
const makingOf = new WeakMap<Context, Map<string, Promise<Thumbnail>>>();

function makeOnce(ctx: Context, media: Ready, wish: Wish): Promise<Thumbnail> {
  const making = makingOf.get(ctx) ?? new Map<string, Promise<Thumbnail>>();
  makingOf.set(ctx, making);
  const name = JSON.stringify(keyOf(media, wish));
  const running = making.get(name);
  if (running) return running;
  if (making.size >= limits.thumbnailsInWork)
    throw matrixError("M_LIMIT_EXCEEDED", "Too many thumbnails are being made. Try again in a second.", {
      retryAfter_ms: 1_000,
    });
  const made = make(ctx, media, wish).finally(() => making.delete(name));
  making.set(name, made);
  return made;
}

const sourcesInWork = openRoom(limits.thumbnailSources_bytes);

async function make(ctx: Context, media: Ready, wish: Wish): Promise<Thumbnail> {
  if (media.size_bytes > limits.thumbnailSource_bytes)
    throw matrixError("M_TOO_LARGE", "The image is too large for a thumbnail.");
  return sourcesInWork.with(media.size_bytes, async () => {
    const stream = await blobsOf(ctx).get(media.sha256);
    if (!stream) throw matrixError("M_NOT_FOUND", "The file is lost: its bytes are no longer in the store.");
    const source = Buffer.concat(await stream.toArray());
    const picture = await readPicture(source);
    // It is not noted as a thumbnail: the file would count as one, and stay when it is deleted.
    if (isItself(picture, wish)) return { ...media, contentType: `image/${picture.format}` };
    const { bytes, contentType } = await render(source, picture, wish);
    const stored = await blobsOf(ctx).put(bytes, { max_bytes: limits.thumbnailSource_bytes });
    const made = { ...stored, contentType };
    await insertThumbnail(ctx, keyOf(media, wish), made);
    return made;
  });
}

/** "When the content is smaller than the requested dimensions, servers should return the original content rather than thumbnail it." */
function isItself(picture: Picture, { box, animated }: Wish): boolean {
  const { format, width, height, isMoving, isTurned } = picture;
  const isShowable = ["jpeg", "png", "gif", "webp"].includes(format) && !isTurned && (animated || !isMoving);
  return isShowable && width <= box.width && height <= box.height;
}
