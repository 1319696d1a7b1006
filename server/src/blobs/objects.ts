/**
 * Blobs in an object store. An upload arrives in a file of this machine first: then its hash is known, and with it its name, so it
 * is sent to its place at once, in parts that are read again where one fails, and the store makes it visible in one step. What
 * is there already is not sent again.
 */
import { Readable } from "node:stream";
import { asError, type MatrixError, matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { randomToken, type Seams } from "../seams.ts";
import { type Blobs, nameOf } from "./blobs.ts";
import type { ObjectRange, ObjectStore } from "./object-store.ts";
import { contentOf, openRoom, withContent } from "./parts.ts";
import { openSpool } from "./spool.ts";

export interface ObjectBlobsOptions {
  store: ObjectStore;
  /** Where uploads arrive. */
  spoolFolder: string;
  seams: Seams;
}

export async function openObjectBlobs({ store, spoolFolder, seams }: ObjectBlobsOptions): Promise<Blobs> {
  const spool = await openSpool({ folder: spoolFolder, seams, isFinal: false });
  const room = openRoom(limits.blobParts_bytes);
  return {
    async put(content, { max_bytes }) {
      const received = await spool.receive(content, max_bytes);
      const { sha256, size_bytes } = received;
      const name = nameOf(sha256);
      try {
        const isThere = (await store.size(name)) === size_bytes;
        if (!isThere) await withContent(received, room, (each) => store.write(name, each));
      } catch (thrown) {
        throw away(store, thrown);
      } finally {
        await received.discard();
      }
      return { sha256, size_bytes };
    },
    async get(sha256, range) {
      const read = (from: ObjectRange | undefined) => store.read(nameOf(sha256), from);
      const first = await read(range).catch((thrown: unknown) => {
        throw away(store, thrown);
      });
      return first && holding(first, continued(first, read, range));
    },
    remove: (sha256) =>
      store.remove(nameOf(sha256)).catch((thrown: unknown) => {
        throw away(store, thrown);
      }),
    probe: () => probe(store, randomToken(seams, 9)),
    async sweep() {
      await spool.dropAbandoned();
      await store.dropAbandoned?.(limits.uploadAbandoned_ms);
    },
    close: async () => store.close(),
  };
}

/** What clients are told; the operator finds the reason in the log. */
function away(store: ObjectStore, thrown: unknown): MatrixError {
  const reason = asError(thrown);
  return matrixError("IO_PARLEY_UNAVAILABLE", "The store of media can not be reached. Try again in a moment.", {
    cause: new Error(`${store.name}: ${reason.message}`, { cause: reason }),
    retryAfter_ms: limits.blobsAway_ms,
  });
}

/**
 * The stream of the bytes, of which the first answer of the store is a part from the beginning: a client that went away before anybody
 * read takes the connection with it, and how the connection broke until then is told to whoever reads.
 */
function holding(first: Readable, bytes: AsyncGenerator<Buffer>): Readable {
  first.on("error", () => {});
  return Readable.from(bytes, { objectMode: false }).once("close", () => first.destroy());
}

/** The bytes of the range, over several connections where they break without any byte between. Objects never change, so what is left is asked for. */
async function* continued(
  first: Readable,
  read: (range: ObjectRange | undefined) => Promise<Readable | undefined>,
  range: ObjectRange | undefined,
): AsyncGenerator<Buffer> {
  let stream: Readable | undefined = first;
  let [got_bytes, broken] = [0, 0];
  const start = range?.start ?? 0;
  for (;;) {
    try {
      if (!stream) throw new Error("the object is gone");
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        got_bytes += chunk.length;
        broken = 0;
        yield chunk;
      }
      return;
    } catch (thrown) {
      if (++broken > limits.blobReadBreaks) throw thrown;
      stream = await read({ ...range, start: start + got_bytes });
    }
  }
}

async function probe(store: ObjectStore, chance: string): Promise<void> {
  const name = `probe/${chance}`;
  const bytes = Buffer.from(chance);
  await store.write(name, contentOf(bytes));
  const found = await store.read(name, undefined);
  const read = found && Buffer.concat(await found.toArray());
  await store.remove(name);
  if (!read?.equals(bytes)) throw new Error(`${store.name} does not give back what was written`);
}
