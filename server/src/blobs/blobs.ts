/**
 * Where the bytes of media are kept, by their SHA-256: the same file is kept once, and what is read is what was written. A blob is
 * never half visible: it is there, whole, or not at all.
 */
import type { Readable } from "node:stream";

export interface Blobs {
  /** Keeps the stream's bytes. Resolves when they are durable. Rejects with M_TOO_LARGE beyond `max_bytes`, and keeps nothing then. */
  put(content: Readable | Buffer, options: { max_bytes: number }): Promise<StoredBlob>;
  /** The bytes, or those from `start` up to and with `end`; undefined where there is no such blob. */
  get(sha256: string, range?: ByteRange): Promise<Readable | undefined>;
}

export interface StoredBlob {
  /** Lower-case hexadecimal. */
  sha256: string;
  size_bytes: number;
}

export interface ByteRange {
  start: number;
  end: number;
}
