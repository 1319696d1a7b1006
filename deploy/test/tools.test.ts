import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { missingTools, readObjects, run } from "./tools.ts";
import { readZip } from "./zip.ts";

test("helm and kubectl are there and run", { skip: missingTools }, async () => {
  const [helm, kubectl] = await Promise.all([run("helm", ["version"]), run("kubectl", ["version", "--client"])]);
  assert.match(helm.output, /v4\.\d+/, helm.errors);
  assert.match(kubectl.output, /v1\.3\d/, kubectl.errors);
});

test("rendered text is read object by object, and a key that stands twice is refused", () => {
  const text = "kind: A\n---\n# nothing\n---\nkind: List\nitems: [{ kind: B }]\n";
  assert.deepEqual(
    readObjects(text).map(({ kind }) => kind),
    ["A", "B"],
  );
  assert.throws(() => readObjects("kind: A\nkind: B\n"), /unique/);
});

test("a file comes out of a zip archive as it went in, and what is no archive is refused", () => {
  const name = Buffer.from("folder/file");
  const packed = deflateRawSync("content");
  const header = Buffer.alloc(30);
  header.writeUInt16LE(name.length, 26);
  const entry = Buffer.alloc(46);
  entry.writeUInt32LE(0x02014b50, 0);
  entry.writeUInt16LE(8, 10);
  entry.writeUInt32LE(packed.length, 20);
  entry.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(30 + name.length + packed.length, 16);
  const files = readZip(Buffer.concat([header, name, packed, entry, name, end]));
  assert.equal(files.get("folder/file")?.().toString(), "content");
  assert.throws(() => readZip(Buffer.from("no archive at all")), /no zip/);
});
