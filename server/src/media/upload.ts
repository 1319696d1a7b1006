/** Uploads, at once or into an id that was made before. Specification: client-server-api, "Content repository". */
import type { Readable } from "node:stream";
import { z } from "zod";
import type { Blobs } from "../blobs/blobs.ts";
import type { Context } from "../context.ts";
import { type MatrixError, matrixError } from "../errors.ts";
import { type Request, route, type Route } from "../http.ts";
import { limits } from "../limits.ts";
import { randomToken } from "../seams.ts";
import { fillPending, findMedia, insertPending, insertUploaded, type Uploaded } from "./queries.ts";
import { refuseRemoved } from "./remove.ts";
import { blobsOf } from "./store.ts";

const uploadQuery = z.looseObject({ filename: z.string().max(limits.fileName_characters).optional() });
type Upload = Request<unknown, z.output<typeof uploadQuery>>;

/** Keeps the bytes of a request. */
async function receive(ctx: Context, blobs: Blobs, { body, headers, query }: Upload): Promise<Uploaded> {
  const max_bytes = ctx.config.mediaMax_bytes;
  if (Number(headers["content-length"] ?? 0) > max_bytes)
    throw matrixError("M_TOO_LARGE", `A file may have ${max_bytes} bytes at the most.`);
  const stored = await blobs.put(body as Readable, { max_bytes });
  const contentType = headers["content-type"]?.slice(0, limits.contentType_characters) || "application/octet-stream";
  return { ...stored, contentType, fileName: query.filename };
}

export function uriOf(ctx: Context, mediaId: string): string {
  return `mxc://${ctx.config.serverName}/${mediaId}`;
}

export const newMediaId = (ctx: Context) => randomToken(ctx.seams, 18);

export function tooManyPending(): MatrixError {
  const message = "Too many uploads of yours were begun and not finished. Finish one first.";
  return matrixError("M_LIMIT_EXCEEDED", message, { retryAfter_ms: 60_000 });
}

export const uploadRoutes: readonly Route[] = [
  route({
    method: "POST",
    path: "/_matrix/media/v3/upload",
    alsoAt: ["/_matrix/media/r0/upload"],
    access: "session",
    rate: "media",
    body: "stream",
    bodyLimit_bytes: Number.MAX_SAFE_INTEGER,
    query: uploadQuery,
    async handle(request, ctx) {
      const uploaded = await receive(ctx, blobsOf(ctx), request);
      const mediaId = newMediaId(ctx);
      await insertUploaded(ctx, { mediaId, userId: request.session.userId, uploaded });
      await refuseRemoved(ctx, { mediaId, sha256: uploaded.sha256 });
      return { content_uri: uriOf(ctx, mediaId) };
    },
  }),
  route({
    method: "POST",
    path: "/_matrix/media/v1/create",
    access: "session",
    rate: "media",
    async handle({ session }, ctx) {
      const mediaId = newMediaId(ctx);
      if (!(await insertPending(ctx, { mediaId, userId: session.userId, most: limits.pendingUploads })))
        throw tooManyPending();
      return { content_uri: uriOf(ctx, mediaId), unused_expires_at: ctx.seams.now_ms() + limits.pendingUpload_ms };
    },
  }),
  route({
    method: "PUT",
    path: "/_matrix/media/v3/upload/:serverName/:mediaId",
    access: "session",
    rate: "media",
    body: "stream",
    bodyLimit_bytes: Number.MAX_SAFE_INTEGER,
    query: uploadQuery,
    async handle(request, ctx) {
      const { serverName, mediaId } = request.params as { serverName: string; mediaId: string };
      const media = serverName === ctx.config.serverName ? await findMedia(ctx, mediaId) : undefined;
      if (!media || (media.sha256 === null && media.age_ms > limits.pendingUpload_ms))
        throw matrixError("M_NOT_FOUND", "There is no such upload, or it has expired.");
      if (media.userId !== request.session.userId)
        throw matrixError("M_FORBIDDEN", "This upload was begun by somebody else.");
      const uploaded = media.sha256 === null ? await receive(ctx, blobsOf(ctx), request) : undefined;
      const isFilled = uploaded !== undefined && (await fillPending(ctx, mediaId, uploaded));
      if (isFilled) await refuseRemoved(ctx, { mediaId, sha256: uploaded.sha256 });
      if (!isFilled) throw matrixError("M_CANNOT_OVERWRITE_MEDIA", "This file is uploaded already.");
      return {};
    },
  }),
];
