import assert from "node:assert/strict";
import { test } from "node:test";
import { decryptFile, encryptFile } from "./encrypt.ts";

const plain = new TextEncoder().encode("what only the room may read").buffer;

test("what is encrypted for a room is decrypted with its file information alone", async () => {
  const { data, info } = await encryptFile(plain);
  assert.notDeepEqual(new Uint8Array(data), new Uint8Array(plain));
  const again = await decryptFile(data, { ...info, url: "mxc://x/1" });
  assert.equal(new TextDecoder().decode(again), "what only the room may read");
});

test("a file whose bytes were changed is refused", async () => {
  const { data, info } = await encryptFile(plain);
  const changed = new Uint8Array(data);
  changed[0] = (changed[0] ?? 0) ^ 1;
  await assert.rejects(decryptFile(changed.buffer, { ...info, url: "mxc://x/1" }), /changed on its way/);
});

test("no two files share a key or a counter", async () => {
  const [one, two] = await Promise.all([encryptFile(plain), encryptFile(plain)]);
  assert.notEqual(one.info.key.k, two.info.key.k);
  assert.notEqual(one.info.iv, two.info.iv);
});

test("the counter's lower half begins at zero, so that it cannot wrap inside a file", async () => {
  const { info } = await encryptFile(plain);
  assert.deepEqual(
    [...Buffer.from(info.iv, "base64").subarray(8)],
    Array.from({ length: 8 }, () => 0),
  );
});

test("a file that another client encrypted is decrypted (vector of the specification's reference implementation)", async () => {
  const file = {
    url: "mxc://x/1",
    v: "v2",
    key: {
      alg: "A256CTR",
      ext: true,
      k: "__________________________________________8",
      key_ops: ["encrypt", "decrypt"],
      kty: "oct",
    },
    iv: "//////////8AAAAAAAAAAA",
    hashes: { sha256: "YzF08lARDdOCzJpzuSwsjTNlQc4pHxpdHcXiD/wpK6k" },
  };
  const data = Uint8Array.from(Buffer.from("5xJZTt5cQicm+9f4", "base64")).buffer;
  assert.equal(new TextDecoder().decode(await decryptFile(data, file)), "Hello, World");
});
