/** Downloads, for people who are signed in. Specification: client-server-api, "Content repository", "Serving content". */
import { z } from "zod";
import type { ByteRange } from "../blobs/blobs.ts";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { Answer, type Request, route, type Route } from "../http.ts";
import { limits } from "../limits.ts";
import { pause } from "../seams.ts";
import { findMedia, type Media } from "./queries.ts";
import { blobsOf } from "./store.ts";

export type Ready = Media & { sha256: string; size_bytes: number; contentType: string };

/** The types that a browser may show in place: none of them can run a script. Specification: "Content repository", the list there. */
const INLINE = new Set(
  `text/css text/plain text/csv application/json application/ld+json image/jpeg image/gif image/png image/apng image/webp image/avif
   video/mp4 video/webm video/ogg video/quicktime audio/mp4 audio/webm audio/aac audio/mpeg audio/ogg audio/wave audio/wav audio/x-wav audio/x-pn-wav
   audio/flac audio/x-flac`.split(/\s+/),
);

/** What keeps a file that somebody uploaded from acting as a page of this server. */
export const MEDIA_HEADERS = {
  "content-security-policy":
    "sandbox; default-src 'none'; script-src 'none'; plugin-types application/pdf; style-src 'unsafe-inline'; object-src 'self';",
  "cross-origin-resource-policy": "cross-origin",
  "x-content-type-options": "nosniff",
  // A file never changes, but who may read it can: only the reader's own cache keeps it.
  "cache-control": "private, max-age=86400, immutable",
};

const timeout_ms = z.coerce.number().int().min(0).optional();

/** The media once it is uploaded; it waits for that as long as the client asks. Throws M_NOT_FOUND or M_NOT_YET_UPLOADED. */
export async function readyMedia(
  ctx: Context,
  request: Request<unknown, { timeout_ms?: number | undefined }>,
): Promise<Ready> {
  const { serverName, mediaId } = request.params as { serverName: string; mediaId: string };
  const wait_ms = Math.min(request.query.timeout_ms ?? limits.mediaWait_ms, limits.mediaWait_ms);
  const deadline_ms = ctx.seams.monotonic_ms() + wait_ms;
  for (;;) {
    const media = serverName === ctx.config.serverName ? await findMedia(ctx, mediaId) : undefined;
    if (!media || media.isQuarantined) throw matrixError("M_NOT_FOUND", "There is no such file.");
    if (media.sha256 !== null) return media as Ready;
    const left_ms = deadline_ms - ctx.seams.monotonic_ms();
    if (media.age_ms > limits.pendingUpload_ms || left_ms <= 0)
      throw matrixError("M_NOT_YET_UPLOADED", "The file is not uploaded yet. Try again later.");
    await pause(ctx.seams, Math.min(left_ms, limits.mediaPoll_ms), request.signal());
  }
}

/**
 * Inline for what is harmless, a download for all else: specification, "Serving inline content". The name is a token, a quoted
 * string, or in UTF-8, whatever is the least that can say it: RFC 6266, section 4.
 */
export function dispositionOf(contentType: string, fileName: string | undefined): string {
  const kind = INLINE.has((contentType.split(";")[0] as string).trim().toLowerCase()) ? "inline" : "attachment";
  const name = fileName?.toWellFormed();
  if (!name) return kind;
  if (/^[\w!#$&+.^|~-]+$/.test(name)) return `${kind}; filename=${name}`;
  if (/^[ -~]+$/.test(name)) return `${kind}; filename="${name.replace(/["\\]/g, "\\$&")}"`;
  const escaped = encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return `${kind}; filename*=utf-8''${escaped}`;
}

/** One range of bytes; several, or one that is not understood, get the whole file. RFC 9110, section 14. */
function rangeOf(header: string | undefined, size_bytes: number): ByteRange | "unsatisfiable" | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  if (!match || (match[1] === "" && match[2] === "")) return undefined;
  const start = match[1] === "" ? Math.max(0, size_bytes - Number(match[2])) : Number(match[1]);
  const end = match[1] === "" || match[2] === "" ? size_bytes - 1 : Math.min(Number(match[2]), size_bytes - 1);
  return start > end || start >= size_bytes ? "unsatisfiable" : { start, end };
}

async function download(request: Request<unknown, { timeout_ms?: number | undefined }>, ctx: Context): Promise<Answer> {
  const media = await readyMedia(ctx, request);
  const { size_bytes, contentType } = media;
  const headers = {
    ...MEDIA_HEADERS,
    "content-type": contentType,
    "content-disposition": dispositionOf(contentType, request.params["fileName"] ?? media.fileName ?? undefined),
    "accept-ranges": "bytes",
  };
  const range = rangeOf(request.headers.range, size_bytes);
  if (range === "unsatisfiable")
    return new Answer({
      status: 416,
      headers: { ...MEDIA_HEADERS, "content-range": `bytes */${size_bytes}` },
      payload: JSON.stringify(matrixError("M_INVALID_PARAM", `The file has ${size_bytes} bytes.`).body()),
    });
  const stream = await blobsOf(ctx).get(media.sha256, range);
  if (!stream) throw matrixError("M_NOT_FOUND", "The file is lost: its bytes are no longer in the store.");
  if (!range) return new Answer({ headers: { ...headers, "content-length": String(size_bytes) }, payload: stream });
  const partial = {
    "content-range": `bytes ${range.start}-${range.end}/${size_bytes}`,
    "content-length": String(range.end - range.start + 1),
  };
  return new Answer({ status: 206, headers: { ...headers, ...partial }, payload: stream });
}

const PATH = "/_matrix/client/v1/media/download/:serverName/:mediaId";

export const downloadRoutes: readonly Route[] = [PATH, `${PATH}/:fileName`].map((path) =>
  route({
    method: "GET",
    path,
    access: "session",
    rate: "media",
    query: z.looseObject({ timeout_ms }),
    handle: download,
  }),
);
