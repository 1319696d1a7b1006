/**
 * What every store of blobs keeps, whichever adapter it is: one suite, run against servers that speak the real protocols. Each rule
 * names what it promises in the words of blobs.ts.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { test } from "node:test";
import { MatrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Blobs } from "./blobs.ts";

/** A store of a test, opened once for all its rules. */
export interface Store {
  /** Opens it as another process would. */
  open(): Promise<Blobs>;
  /** The names of all that can be seen in it, uploads that are under way aside. */
  names(): Promise<string[]>;
}

export interface Conformance {
  name: string;
  /** Why it can not be run here; false where it can. */
  skip: string | false;
  store(): Promise<Store>;
}

/** Registers the rules. */
export function conform({ name, skip, store }: Conformance): void {
  for (const [text, rule] of Object.entries(rules))
    test(`${name}: ${text}`, { skip, timeout: 60_000 }, async () => {
      const on = await store();
      const blobs = await on.open();
      try {
        await rule(blobs, on);
      } finally {
        await blobs.close();
      }
    });
}

const MAX = { max_bytes: 64 * 1_048_576 };
/** Three parts, the last of them short. */
const LARGE_BYTES = 2 * limits.blobPart_bytes + 12_345;

export const rules: Readonly<Record<string, (blobs: Blobs, store: Store) => Promise<void>>> = {
  "what is read is what was written, from any process, for no bytes, some and several parts of them": async (
    blobs,
    { open },
  ) => {
    const other = await open();
    for (const size of [0, 1, 300_000, limits.blobPart_bytes, LARGE_BYTES]) {
      const bytes = someBytes(size, "whole");
      const stored = await blobs.put(inPieces(bytes), MAX);
      assert.deepEqual(stored, { sha256: hashOf(bytes), size_bytes: size });
      assert.ok((await read(other, stored.sha256))?.equals(bytes), `${size} bytes`);
    }
    await other.close();
  },

  "a range gives its bytes and no others": async (blobs) => {
    const bytes = someBytes(LARGE_BYTES, "ranges");
    const { sha256 } = await blobs.put(bytes, MAX);
    for (const [start, end] of [
      [0, 1],
      [10, 99],
      [limits.blobPart_bytes - 5, limits.blobPart_bytes + 5],
      [LARGE_BYTES - 1, LARGE_BYTES - 1],
    ] as const)
      assert.ok((await read(blobs, sha256, { start, end }))?.equals(bytes.subarray(start, end + 1)), `${start}-${end}`);
  },

  "a blob that is not there is undefined": async (blobs) => {
    assert.equal(await blobs.get(hashOf(Buffer.from("never written"))), undefined);
    assert.equal(await blobs.get(hashOf(Buffer.from("never written")), { start: 0, end: 5 }), undefined);
  },

  "the same bytes are kept once, whoever writes them, also at the same time": async (blobs, { open, names }) => {
    const other = await open();
    const bytes = someBytes(LARGE_BYTES, "twice");
    const before = (await names()).length;
    const stored = await Promise.all([blobs.put(inPieces(bytes), MAX), other.put(inPieces(bytes), MAX)]);
    stored.push(await blobs.put(inPieces(bytes), MAX));
    assert.equal(new Set(stored.map(({ sha256 }) => sha256)).size, 1);
    assert.equal((await names()).length, before + 1);
    assert.ok((await read(other, hashOf(bytes)))?.equals(bytes));
    await other.close();
  },

  "a blob is not there before its last byte, and a source that fails leaves nothing": async (blobs, { names }) => {
    const before = await names();
    const bytes = someBytes(LARGE_BYTES, "cut");
    const isThere = async () =>
      (await names()).length !== before.length || (await blobs.get(hashOf(bytes))) !== undefined;
    let wasThere = false;
    const failing = Readable.from(
      (async function* () {
        for (let at = 0; at < bytes.length; at += 1_048_576) {
          yield bytes.subarray(at, at + 1_048_576);
          wasThere ||= await isThere();
        }
        throw new Error("the connection is cut");
      })(),
      { objectMode: false },
    );
    await assert.rejects(blobs.put(failing, MAX), /the connection is cut/);
    assert.equal(wasThere || (await isThere()), false);
  },

  "a file that is too large is refused, and leaves nothing": async (blobs, { names }) => {
    const before = await names();
    const tooLarge = blobs.put(inPieces(someBytes(1_001, "large")), { max_bytes: 1_000 });
    await assert.rejects(tooLarge, (error) => error instanceof MatrixError && error.errcode === "M_TOO_LARGE");
    assert.deepEqual(await names(), before);
  },

  "a blob that is removed is gone, can be removed again, and can be put again": async (blobs) => {
    const { sha256 } = await blobs.put(Buffer.from("removed"), MAX);
    for (let i = 0; i < 2; i++) await blobs.remove(sha256);
    assert.equal(await blobs.get(sha256), undefined);
    await blobs.put(Buffer.from("removed"), MAX);
    assert.equal(String(await read(blobs, sha256)), "removed");
  },

  "a probe tries to write and read, and leaves nothing": async (blobs, { names }) => {
    const before = await names();
    await blobs.probe();
    assert.deepEqual(await names(), before);
  },

  "a reader that goes away early keeps nothing open": async (blobs) => {
    const bytes = someBytes(LARGE_BYTES, "early");
    const { sha256 } = await blobs.put(bytes, MAX);
    const stream = (await blobs.get(sha256)) as Readable;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      assert.ok(bytes.subarray(0, chunk.length).equals(chunk));
      break;
    }
    assert.equal(stream.destroyed, true);
  },
};

export async function read(blobs: Blobs, sha256: string, range?: { start: number; end: number }) {
  const stream = await blobs.get(sha256, range);
  return stream && Buffer.concat(await stream.toArray());
}

/** Bytes that are the same for the same seed, and that no part of them repeats. */
export function someBytes(size: number, seed: string): Buffer {
  const blocks = Array.from({ length: Math.ceil(size / 65_536) }, (_, index) =>
    createHash("sha256").update(`${seed} ${index}`).digest(),
  );
  return Buffer.concat(blocks.map((block) => Buffer.alloc(65_536, block))).subarray(0, size);
}

export function hashOf(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** As it comes from the network: pieces of 64 KiB. */
export function inPieces(bytes: Buffer): Readable {
  return Readable.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
    })(),
    { objectMode: false },
  );
}
