/**
 * Takes the bytes of one request, and keeps what arrived whatever becomes of the connection. Every few MiB are a piece: a blob, and a
 * row that says where it stands. So the next request may come to any process, and a process that dies loses the piece it was at.
 *
 * Two requests for the same place may come, when a client has given its connection up and the server has not noticed yet: the
 * row moves on for the first that is done, and the other is told that it stands elsewhere.
 */
import { Readable } from "node:stream";
import type { Context } from "../../context.ts";
import { matrixError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { wasRemoved } from "../remove.ts";
import { blobsOf } from "../store.ts";
import { refused } from "./protocol.ts";
import { addPart, dropPart, noteUnneeded, type Upload } from "./queries.ts";

/** Gives how far the upload is then. Throws 409 where another request was there first, 413 where more comes than was announced. */
export async function receiveChunk(ctx: Context, upload: Upload, body: Readable): Promise<number> {
  const source = openSource(body);
  let at_bytes = upload.offset_bytes;
  const tell = (bytes: number) => tellProgress(ctx, upload, bytes);
  while (await source.hasMore()) {
    if (at_bytes === upload.total_bytes)
      throw matrixError("M_TOO_LARGE", `The upload was announced with ${upload.total_bytes} bytes, and more came.`);
    const most_bytes = Math.min(limits.uploadPart_bytes, upload.total_bytes - at_bytes);
    const from_bytes = at_bytes;
    const bytes = source.take(most_bytes, (taken_bytes) => tell(from_bytes + taken_bytes));
    const part = await blobsOf(ctx).put(Readable.from(bytes, { objectMode: false }), { max_bytes: most_bytes });
    if (!(await addPart(ctx, { mediaId: upload.mediaId, from_bytes, part }))) {
      await noteUnneeded(ctx, part.sha256);
      throw refused(409, "Another request has brought what stands there, or the upload is in too many pieces.");
    }
    if (await wasRemoved(ctx, part.sha256)) {
      await dropPart(ctx, upload.mediaId, from_bytes);
      throw matrixError("IO_PARLEY_UNAVAILABLE", "The same bytes are just being deleted. Go on in a second.", {
        retryAfter_ms: 1_000,
      });
    }
    at_bytes += part.size_bytes;
  }
  return at_bytes;
}

/** Other sessions of the person see how far it is. */
export function tellProgress(ctx: Context, { mediaId, userId, total_bytes }: Upload, bytes: number): void {
  const status = bytes === total_bytes ? "complete" : "uploading";
  ctx.ephemeral.setUpload({ id: mediaId, userId, status, bytes, total: total_bytes });
}

interface Source {
  /** Whether there is at least one byte more. A connection that breaks is the end of what there is. */
  hasMore(): Promise<boolean>;
  /** The next bytes, `most` at the most. */
  take(most: number, tell: (taken_bytes: number) => void): AsyncGenerator<Buffer>;
}

function openSource(body: Readable): Source {
  const chunks = (body as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  let isOver = false;

  async function fill(): Promise<void> {
    while (rest.length === 0 && !isOver) {
      const next = await chunks.next().catch(() => ({ done: true, value: undefined }) as const);
      if (next.done) isOver = true;
      else rest = next.value;
    }
  }

  return {
    async hasMore() {
      await fill();
      return rest.length > 0;
    },
    async *take(most, tell) {
      for (let taken = 0; taken < most;) {
        await fill();
        if (rest.length === 0) return;
        const bytes = rest.subarray(0, most - taken);
        rest = rest.subarray(bytes.length);
        taken += bytes.length;
        tell(taken);
        yield bytes;
      }
    },
  };
}
