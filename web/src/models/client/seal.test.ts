import assert from "node:assert/strict";
import { test } from "node:test";
import { sealerOf } from "./seal.ts";

const KEY = new Uint8Array(32).fill(7);
const TEXT = "Nobody reads this on the disk. 📬";

test("what is sealed is opened with the same key, says nothing, and is never sealed the same way twice", async () => {
  const sealed = await (await sealerOf(KEY, "letters")).seal(TEXT);
  assert.equal(await (await sealerOf(KEY, "letters")).open(sealed), TEXT);
  assert.equal(Buffer.from(sealed.data).includes("Nobody"), false);
  const again = await (await sealerOf(KEY, "letters")).seal(TEXT);
  assert.notDeepEqual(Buffer.from(again.data), Buffer.from(sealed.data));
});

test("another device's key, the key of another purpose and a changed byte open nothing", async () => {
  const sealer = await sealerOf(KEY, "letters");
  const sealed = await sealer.seal(TEXT);
  await assert.rejects(async () => (await sealerOf(new Uint8Array(32).fill(8), "letters")).open(sealed));
  await assert.rejects(async () => (await sealerOf(KEY, "parcels")).open(sealed));
  const changed = new Uint8Array(sealed.data.slice(0));
  changed[0] = (changed[0] ?? 0) ^ 1;
  await assert.rejects(sealer.open({ iv: sealed.iv, data: changed.buffer }));
});
