import assert from "node:assert/strict";
import { randomBytes, webcrypto } from "node:crypto";
import { join } from "node:path";
import { test } from "node:test";
import { type Someone, startTown } from "../src/people.ts";
import { startProcess, temporaryDirectory } from "../src/process.ts";
import { setUpRecovery } from "../src/recovery.ts";
import { filesWith, linesWith, tablesWith } from "../src/traces.ts";

const canary = (of: string) => `canary-${of}-${randomBytes(12).toString("hex")}`;

/** Uploads a file as clients do in encrypted rooms: AES-CTR, its key in the message alone. */
async function uploadEncrypted(by: Someone, text: string): Promise<object> {
  const key = await webcrypto.subtle.generateKey({ name: "AES-CTR", length: 256 }, true, ["encrypt"]);
  const algorithm = { name: "AES-CTR", counter: new Uint8Array(16), length: 64 };
  const bytes = await webcrypto.subtle.encrypt(algorithm, key, Buffer.from(text));
  const { content_uri: url } = await by.client.uploadContent(new Blob([bytes]), { includeFilename: false });
  const jwk = await webcrypto.subtle.exportKey("jwk", key);
  return { url, key: jwk, iv: "", hashes: {}, v: "v2" };
}

test("what is said in an encrypted room is in no table, no file and no line of the log, nor are passwords and tokens", async () => {
  using directory = temporaryDirectory();
  await using parley = await startProcess(join(directory.path, "data"), { PARLEY_LOG_LEVEL: "trace" });
  const said = [canary("message"), canary("edit"), canary("file"), canary("file-name")] as const;
  const shown = [canary("public"), canary("upload")] as const;
  let others: string[] = [];
  {
    await using town = await startTown({ url: parley.url });
    const alice = await town.person("alice");
    const bob = await town.person("bob");
    const recoveryKey = await setUpRecovery(alice);
    others = [recoveryKey.replaceAll(" ", ""), alice.plain.token, bob.plain.token, alice.password, bob.password];

    const room = await alice.createRoom({ invite: [bob] });
    await bob.joins(room);
    const [message, edit, file, fileName] = said;
    const id = await alice.says(room, message);
    await bob.hears(room, message);
    const content = { msgtype: "m.text", body: edit };
    const relation = { rel_type: "m.replace", event_id: id };
    await alice.sends(room, "m.room.message", { ...content, "m.new_content": content, "m.relates_to": relation });
    await bob.hears(room, edit);
    const encryptedFile = await uploadEncrypted(alice, file);
    await alice.sends(room, "m.room.message", { msgtype: "m.file", body: fileName, file: encryptedFile });
    await bob.hears(room, fileName);

    // The search finds what is not encrypted.
    const square = await alice.createRoom({ encrypted: false });
    await alice.says(square, shown[0]);
    await alice.client.uploadContent(new Blob([shown[1]]), { includeFilename: false });
  }
  assert.deepEqual(await tablesWith(parley, shown[0]), ["log.entries"]);
  for (const secret of [...said, ...others]) assert.deepEqual(await tablesWith(parley, secret), [], secret);

  // While it runs: at the stop a checkpoint lets go of the WAL before it.
  const inWal = (text: string) => filesWith(join(parley.dataDir, "postgres/pgdata/pg_wal"), text);
  assert.notDeepEqual(inWal(shown[0]), [], "the search finds what is in the WAL");
  for (const secret of [...said, ...others]) assert.deepEqual(inWal(secret), [], secret);

  const { stderr } = await parley.end("SIGTERM");
  assert.notDeepEqual(linesWith(stderr, "/_matrix/client/v3/sync"), [], "the log tells of requests");
  assert.match(filesWith(parley.dataDir, shown[0]).join(), /pgdata\/base/);
  assert.equal(filesWith(parley.dataDir, shown[1]).length, 1);
  for (const secret of [...said, ...others]) {
    assert.deepEqual(linesWith(stderr, secret), [], secret);
    assert.deepEqual(filesWith(parley.dataDir, secret), [], secret);
  }
});
