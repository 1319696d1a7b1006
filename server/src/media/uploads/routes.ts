/** Uploads that go on after a cut, by the protocol tus: docs/protocol/uploads.md. Any process takes the next request. */
import type { Readable } from "node:stream";
import type { Context } from "../../context.ts";
import { matrixError } from "../../errors.ts";
import { Answer, type Request, route, type Route } from "../../http.ts";
import { limits } from "../../limits.ts";
import { insertPending } from "../queries.ts";
import { newMediaId, tooManyPending, uriOf } from "../upload.ts";
import { finishWhole } from "./finish.ts";
import {
  bytesIn,
  done,
  hasChunk,
  readMetadata,
  refused,
  requireVersion,
  stateHeaders,
  tusHeaders,
} from "./protocol.ts";
import { discardUploads, findUpload, insertUpload, type Upload, uploadsOf } from "./queries.ts";
import { receiveChunk } from "./receive.ts";

const PATH = "/_parley/client/v1/uploads";
const ONE = `${PATH}/:uploadId`;
const common = { access: "session", rate: "media" } as const;
const chunks = { body: "stream", bodyLimit_bytes: Number.MAX_SAFE_INTEGER } as const;

/** The person's own upload. Throws M_NOT_FOUND for any other, and for one that is over. */
async function ownUpload(ctx: Context, { params, session }: Request): Promise<Upload> {
  const upload = await findUpload(ctx, params["uploadId"] as string);
  if (!upload || upload.userId !== session.userId)
    throw matrixError("M_NOT_FOUND", "There is no such upload, or it has expired.");
  return upload;
}

const create = route({
  ...common,
  ...chunks,
  method: "POST",
  path: PATH,
  async handle(request, ctx) {
    const { headers, session } = request;
    requireVersion(headers);
    const total_bytes = bytesIn(headers, "upload-length");
    if (total_bytes > ctx.config.mediaMax_bytes)
      throw matrixError("M_TOO_LARGE", `A file may have ${ctx.config.mediaMax_bytes} bytes at the most.`);
    const named = readMetadata(headers);
    const isWithChunk = hasChunk(headers);
    const [mediaId, userId] = [newMediaId(ctx), session.userId];
    if (!(await insertPending(ctx, { mediaId, userId, most: limits.pendingUploads }))) throw tooManyPending();
    await insertUpload(ctx, { mediaId, userId, total_bytes, ...named });
    const begun = { ...(await findUpload(ctx, mediaId)), mediaId } as Upload;
    const upload = isWithChunk || total_bytes === 0 ? await goOn(ctx, begun, request as never) : begun;
    return new Answer({
      status: 201,
      headers: { ...stateHeaders(ctx, upload), location: `${PATH}/${mediaId}` },
      payload: JSON.stringify({ content_uri: uriOf(ctx, mediaId) }),
    });
  },
});

const append = route({
  ...common,
  ...chunks,
  method: "PATCH",
  path: ONE,
  async handle(request, ctx) {
    const { headers } = request;
    requireVersion(headers);
    if (!hasChunk(headers))
      throw refused(415, 'A PATCH has bytes, with "Content-Type: application/offset+octet-stream".');
    const upload = await ownUpload(ctx, request);
    const offset_bytes = bytesIn(headers, "upload-offset");
    if (offset_bytes !== upload.offset_bytes)
      throw refused(409, `The upload stands at ${upload.offset_bytes} bytes, and not at ${offset_bytes}.`);
    if (offset_bytes + Number(headers["content-length"] ?? 0) > upload.total_bytes)
      throw matrixError("M_TOO_LARGE", `The upload was announced with ${upload.total_bytes} bytes.`);
    return done(stateHeaders(ctx, await goOn(ctx, upload, request as never)));
  },
});

async function goOn(ctx: Context, upload: Upload, { body }: { body: Readable }): Promise<Upload> {
  const offset_bytes = await receiveChunk(ctx, upload, body);
  const moved = { ...upload, offset_bytes, expires_ms: ctx.seams.now_ms() + limits.uploadKept_s * 1_000 };
  await finishWhole(ctx, moved);
  return moved;
}

/** What all sessions of a person may know of an upload: `offset` is kept, `received` has arrived. */
async function told(ctx: Context, { mediaId, offset_bytes, total_bytes, fileName, expires_ms }: Upload) {
  const live = await ctx.ephemeral.upload(mediaId);
  return {
    upload_id: mediaId,
    content_uri: uriOf(ctx, mediaId),
    ...(fileName === null ? {} : { filename: fileName }),
    offset: offset_bytes,
    received: Math.max(offset_bytes, Math.min(live?.bytes ?? 0, total_bytes)),
    length: total_bytes,
    expires_ts: expires_ms,
  };
}

/** HEAD asks for the same, and gets its headers alone. */
const look = route({
  ...common,
  method: "GET",
  path: ONE,
  async handle(request, ctx) {
    const upload = await ownUpload(ctx, request);
    // Its last request may have died between the last byte and the file.
    await finishWhole(ctx, upload);
    const headers = { ...stateHeaders(ctx, upload), "content-type": "application/json" };
    return new Answer({ headers, payload: JSON.stringify(await told(ctx, upload)) });
  },
});

const list = route({
  ...common,
  method: "GET",
  path: PATH,
  async handle({ session }, ctx) {
    const uploads = await uploadsOf(ctx, session.userId);
    return { uploads: await Promise.all(uploads.map((upload) => told(ctx, upload))) };
  },
});

const end = route({
  ...common,
  method: "DELETE",
  path: ONE,
  async handle(request, ctx) {
    requireVersion(request.headers);
    const { mediaId } = await ownUpload(ctx, request);
    await discardUploads(ctx, [mediaId]);
    return done(tusHeaders(ctx));
  },
});

export const resumableRoutes: readonly Route[] = [create, append, look, list, end];
