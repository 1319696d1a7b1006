/** What becomes of the answer of a store before anybody reads it: the client may be gone by then, and so may the connection. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { realSeams } from "../seams.ts";
import type { ObjectStore } from "./object-store.ts";
import { openObjectBlobs } from "./objects.ts";

const spoolFolder = mkdtempSync(join(tmpdir(), "parley-objects-"));
after(() => rmSync(spoolFolder, { recursive: true, force: true }));

/** Blobs in a store that answers a question for bytes with these streams, one after the other. */
async function openOver(...streams: Readable[]) {
  const store: ObjectStore = {
    name: "a store",
    size: async () => undefined,
    write: async () => {},
    read: async () => streams.shift(),
    remove: async () => {},
    close: () => {},
  };
  return openObjectBlobs({ store, spoolFolder, seams: realSeams });
}

test("an answer that nobody began to read is let go of with what was made of it", async () => {
  const answer = new Readable({ read: () => {} });
  const blobs = await openOver(answer);
  const stream = (await blobs.get("ab")) as Readable;
  stream.destroy();
  await once(answer, "close");
});

test("a connection that breaks before anybody reads is made anew by whoever reads", async () => {
  const broken = new Readable({ read: () => {} });
  const blobs = await openOver(broken, Readable.from([Buffer.from("all of it")]));
  const stream = (await blobs.get("ab")) as Readable;
  broken.destroy(new Error("the connection broke"));
  await new Promise((resolve) => broken.once("close", resolve));
  assert.equal(await text(stream), "all of it");
});
