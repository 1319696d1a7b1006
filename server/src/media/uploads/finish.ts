/** Makes a file of the pieces, when all are there. Whoever asks after the last byte may do it, and twice is once. */
import { Readable } from "node:stream";
import type { Context } from "../../context.ts";
import { asError, matrixError } from "../../errors.ts";
import { fillPending, findMedia } from "../queries.ts";
import { refuseRemoved, removeBlobs } from "../remove.ts";
import { blobsOf } from "../store.ts";
import { endUpload, noteUnneeded, type Part, partsOf, type Upload, uploadedOf } from "./queries.ts";
import { tellProgress } from "./receive.ts";

/** Does nothing while bytes are missing. */
export async function finishWhole(ctx: Context, upload: Upload): Promise<void> {
  const { mediaId, offset_bytes, total_bytes, isDone } = upload;
  if (isDone || offset_bytes < total_bytes) return;
  const whole = await joined(ctx, upload).catch(async (thrown: unknown) => {
    // Another process has just finished it, and taken the pieces away.
    if ((await findMedia(ctx, mediaId))?.sha256) return undefined;
    throw thrown;
  });
  if (whole) await fill(ctx, upload, whole);
  await endUpload(ctx, mediaId);
  tellProgress(ctx, upload, total_bytes);
  removeBlobs(ctx).catch((thrown: unknown) => {
    ctx.logger.warn({ reason: asError(thrown).message }, "pieces of an upload could not be taken out of the store");
  });
}

/** Where the file was given up or deleted meanwhile its bytes are nobody's, and do not stay in the store. */
async function fill(ctx: Context, upload: Upload, whole: Part): Promise<void> {
  const { mediaId } = upload;
  if (await fillPending(ctx, mediaId, uploadedOf(upload, whole)))
    await refuseRemoved(ctx, { mediaId, sha256: whole.sha256 });
  else await noteUnneeded(ctx, whole.sha256);
}

async function joined(ctx: Context, { mediaId, total_bytes }: Upload): Promise<Part> {
  const blobs = blobsOf(ctx);
  const parts = await partsOf(ctx, mediaId);
  const sum = parts.reduce((bytes, { size_bytes }) => bytes + size_bytes, 0);
  if (sum !== total_bytes) throw lost();
  const [only] = parts;
  if (only && parts.length === 1) return only;
  async function* bytes(): AsyncGenerator<Buffer> {
    for (const { sha256 } of parts) {
      const stream = await blobs.get(sha256);
      if (!stream) throw lost();
      yield* stream as AsyncIterable<Buffer>;
    }
  }
  return blobs.put(Readable.from(bytes(), { objectMode: false }), { max_bytes: total_bytes });
}

function lost() {
  return matrixError("M_NOT_FOUND", "Pieces of the upload are gone. Begin it anew.", { status: 410 });
}
