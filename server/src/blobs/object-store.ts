/** What an object store must be able to do to keep blobs: the part that differs between S3, Azure and Google. See objects.ts. */
import type { Readable } from "node:stream";

/**
 * Objects by name. Each of them appears whole or not at all: `write` resolves when the object is durable under its name, and
 * where it rejects, or its process is killed, there is no such object.
 *
 * Each method tries again by itself where the store says that it is busy or the connection breaks, and rejects in the end.
 */
export interface ObjectStore {
  /** As a person would call it, with the bucket: `the bucket media of S3`. */
  readonly name: string;
  /** The object's size in bytes; undefined where there is none. */
  size(name: string): Promise<number | undefined>;
  /** Writes a new object, in parts where it is large. */
  write(name: string, content: Content): Promise<void>;
  /**
   * The object's bytes from the range, none where it begins behind the end; undefined where there is no such object. The
   * stream fails where the connection breaks.
   */
  read(name: string, range: ObjectRange | undefined): Promise<Readable | undefined>;
  remove(name: string): Promise<void>;
  /** Throws away uploads that nobody has gone on with for so long, where the store does not do so by itself. */
  dropAbandoned?(age_ms: number): Promise<void>;
  close(): void;
}

export interface Content {
  size_bytes: number;
  /** Lower-case hexadecimal. */
  sha256: string;
  /** Base64. */
  md5: string;
  /**
   * Hands out the parts, `part_bytes` each but the last: several at once, as many as `limits.blobParts_bytes` has room for among
   * all uploads. Gives what `send` gave, in the order of the parts.
   */
  inParts<T>(part_bytes: number, send: (part: Part) => Promise<T>): Promise<T[]>;
  /** Hands out the bytes from `start` on, `length` at the most, when there is room for them. */
  withBytes<T>(start: number, length: number, use: (bytes: Buffer) => Promise<T>): Promise<T>;
}

export interface Part {
  /** From 0 on. */
  index: number;
  bytes: Buffer;
}

/** From `start` up to and with `end`, or to the end of the object. */
export interface ObjectRange {
  start: number;
  end?: number;
}

/** The range in HTTP. RFC 9110, section 14.2. */
export function rangeHeader(range: ObjectRange | undefined): string | undefined {
  return range && `bytes=${range.start}-${range.end ?? ""}`;
}
