/**
 * Where the bytes of media are kept, by their SHA-256: the same file is kept once, and what is read is what was written. A blob is
 * never half visible: it is there, whole, or not at all.
 */
import type { Readable } from "node:stream";

export interface Blobs {
  /**
   * Keeps the stream's bytes. Resolves when they are durable. Rejects with M_TOO_LARGE beyond `max_bytes`, with
   * IO_PARLEY_UNAVAILABLE where the store is away or full, and with whatever the stream fails with; nothing is kept then.
   */
  put(content: Readable | Buffer, options: { max_bytes: number }): Promise<StoredBlob>;
  /**
   * The bytes, or those from `start` up to and with `end`; undefined where there is no such blob. Rejects with
   * IO_PARLEY_UNAVAILABLE where the store is away; a store that goes away later breaks the stream, and never ends it early.
   */
  get(sha256: string, range?: ByteRange): Promise<Readable | undefined>;
  /** Takes the blob away, where it is there. Nobody may be putting the same bytes meanwhile: they could find them there, and lose them. */
  remove(sha256: string): Promise<void>;
  /** Writes a few bytes, reads them and takes them away. Rejects with what is wrong, in words for the operator. */
  probe(): Promise<void>;
  /** Takes away what dead processes left of uploads. The store does so by itself when it opens, and every hour. */
  sweep(): Promise<void>;
  close(): Promise<void>;
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

/** The name of a blob in its store, which is the same in each: `<ab>/<sha256>`. So a store is moved by copying it. */
export function nameOf(sha256: string): string {
  return `${sha256.slice(0, 2)}/${sha256}`;
}
