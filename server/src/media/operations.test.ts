/** What operators do with files, and what those get who ask for one afterwards. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Json, type Person, registerPerson, request } from "../../../testkit/src/http.ts";
import { makeAdministrator } from "../../../testkit/src/operators.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { soon } from "../../../testkit/src/wait.ts";
import { nameOf } from "../blobs/blobs.ts";
import { runJobs } from "../worker/jobs.ts";
import { insertUploaded } from "./queries.ts";
import { refuseRemoved, removeBlobs, removeMedia } from "./remove.ts";
import { blobsOf } from "./store.ts";

const MEDIA = "/_parley/admin/v1/media";
const reason = "asked for";

async function town() {
  const server = await startTestServer();
  const admin = await makeAdministrator(server, "root");
  const alice = await registerPerson(server.url, "alice");
  const bob = await registerPerson(server.url, "bob");
  return { server, admin, alice, bob, [Symbol.asyncDispose]: () => server.stop() };
}

async function upload(server: TestServer, person: Person, text: string): Promise<string> {
  const answer = await request(server.url, "POST", "/_matrix/media/v3/upload", {
    token: person.token,
    body: Buffer.from(text),
    headers: { "content-type": "text/plain" },
  });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return (answer.body.content_uri as string).split("/").at(-1) as string;
}

const download = async (server: TestServer, person: Person, mediaId: string): Promise<number> =>
  (await request(server.url, "GET", `/_matrix/client/v1/media/download/localhost/${mediaId}`, { token: person.token }))
    .status;

async function blobOf(server: TestServer, mediaId: string): Promise<string> {
  const row = await server.ctx.db.media.one<{ sha256: string }>("select sha256 from media.media where media_id = $1", [
    mediaId,
  ]);
  return row?.sha256 as string;
}
const isInStore = (server: TestServer, sha256: string) => existsSync(join(server.dataDir, "media", nameOf(sha256)));

test("files are listed with their filters page by page, and added up by person", async () => {
  await using town_ = await town();
  const { server, admin, alice, bob } = town_;
  const ids = [await upload(server, alice, "a"), await upload(server, alice, "aa"), await upload(server, bob, "bbb")];
  const first = await admin.call("GET", `${MEDIA}?limit=2&sort=-size_bytes`);
  const second = await admin.call("GET", `${MEDIA}?limit=2&sort=-size_bytes&from=${first.next}`);
  const seen = [...first.items, ...second.items].map((each: Json) => each.media_id);
  assert.deepEqual(seen, ids.toReversed());
  assert.equal(second.next, undefined);
  const found = async (query: string) =>
    (await admin.call("GET", `${MEDIA}?${query}`)).items.map((each: Json) => each.media_id);
  assert.deepEqual((await found("")).toSorted(), ids.toSorted());
  assert.deepEqual(await found(`user_id=${bob.userId}`), [ids[2]]);
  assert.deepEqual(await found("least_bytes=3"), [ids[2]]);
  assert.deepEqual(await found("before_ts=1000"), []);
  const { items } = await admin.call("GET", "/_parley/admin/v1/media-totals");
  assert.deepEqual(items, [
    { user_id: alice.userId, files: 2, bytes: 3 },
    { user_id: bob.userId, files: 1, bytes: 3 },
  ]);
});

test("a file in quarantine is there for nobody, also when somebody uploads it once more, until it is released", async () => {
  await using town_ = await town();
  const { server, admin, alice, bob } = town_;
  const bad = await upload(server, alice, "the same bytes");
  assert.equal(await download(server, bob, bad), 200);
  await admin.call("POST", `${MEDIA}/${bad}/quarantine`, { reason });
  const again = await upload(server, bob, "the same bytes");
  assert.deepEqual([await download(server, bob, bad), await download(server, bob, again)], [404, 404]);
  const thumbnail = await alice.ask("GET", `/_matrix/client/v1/media/thumbnail/localhost/${bad}?width=32&height=32`);
  assert.equal(thumbnail.status, 404);
  assert.equal((await admin.call("GET", `${MEDIA}?quarantined=true`)).total, 2);
  assert.ok(isInStore(server, await blobOf(server, bad)), "it is kept as it is");
  assert.deepEqual(await admin.call("DELETE", `${MEDIA}/${bad}/quarantine`), { files: 2 });
  assert.equal(await download(server, bob, again), 200);
});

test("the bytes of a deleted file are gone once no other file has the same", async () => {
  await using town_ = await town();
  const { server, admin, alice, bob } = town_;
  const [one, other] = [await upload(server, alice, "shared"), await upload(server, bob, "shared")];
  const sha256 = await blobOf(server, one);
  await admin.call("POST", `${MEDIA}/${one}/delete`, { reason });
  assert.deepEqual([await download(server, alice, one), await download(server, alice, other)], [404, 200]);
  await admin.call("PUT", `${MEDIA}/${other}/protection`, {});
  assert.equal((await admin.ask("POST", `${MEDIA}/${other}/delete`, { reason })).status, 403);
  await admin.call("PUT", `${MEDIA}/${other}/protection`, { protected: false });
  await admin.call("POST", `${MEDIA}/${other}/delete`, { reason });
  assert.equal(isInStore(server, sha256), false);
  assert.equal((await admin.ask("GET", `${MEDIA}/${other}`)).status, 404);
  assert.equal(
    await download(server, alice, await upload(server, alice, "shared")),
    200,
    "the same may be uploaded anew",
  );
});

test("the files of a person are deleted by a job, but for those that are protected", async () => {
  await using town_ = await town();
  const { server, admin, alice, bob } = town_;
  const ids = [await upload(server, alice, "1"), await upload(server, alice, "2"), await upload(server, alice, "3")];
  const ofBob = await upload(server, bob, "b");
  await admin.call("PUT", `${MEDIA}/${ids[0]}/protection`, {});
  const all = await admin.ask("POST", "/_parley/admin/v1/media-deletions", { reason });
  assert.equal(all.body.errcode, "M_MISSING_PARAM", "never all at once");
  const effect = await admin.call("GET", `/_parley/admin/v1/media-effect?user_id=${alice.userId}`);
  assert.deepEqual(effect, { files: 3, bytes: 3 });
  const { job_id } = await admin.call("POST", "/_parley/admin/v1/media-deletions", { reason, user_id: alice.userId });
  for (let state = ""; state !== "done";) {
    await runJobs(server.ctx);
    ({ state } = await admin.call("GET", `/_parley/admin/v1/jobs/${job_id}`));
    assert.notEqual(state, "failed");
  }
  const statuses = await Promise.all([...ids, ofBob].map((mediaId) => download(server, alice, mediaId)));
  assert.deepEqual(statuses, [200, 404, 404, 200]);
});

test("an upload that meets the deletion of the same bytes is refused, and none is ever left without its bytes", async () => {
  await using town_ = await town();
  const { server, alice } = town_;
  const { ctx } = server;
  const first = await upload(server, alice, "contested");
  // The second upload has put its bytes, and found them there; its record comes when the first is deleted.
  const uploaded = {
    ...(await blobsOf(ctx).put(Buffer.from("contested"), { max_bytes: 100 })),
    contentType: "text/plain",
    fileName: undefined,
  };
  await removeMedia(ctx, [first]);
  await insertUploaded(ctx, { mediaId: "second", userId: alice.userId, uploaded });
  await assert.rejects(refuseRemoved(ctx, { mediaId: "second", sha256: uploaded.sha256 }), /Upload it again/);
  assert.equal(await download(server, alice, "second"), 404);
  // Noted, and not yet taken away: whoever takes it away may have looked already.
  await ctx.db.media.change("update media.removed_blobs set is_done = false");
  await blobsOf(ctx).put(Buffer.from("contested"), { max_bytes: 100 });
  await insertUploaded(ctx, { mediaId: "third", userId: alice.userId, uploaded });
  await assert.rejects(refuseRemoved(ctx, { mediaId: "third", sha256: uploaded.sha256 }), /Upload it again/);
});

test("of two who take the same bytes away one waits for nothing, and no bytes go that were uploaded anew meanwhile", async () => {
  await using town_ = await town();
  const { server, alice } = town_;
  const { ctx } = server;
  const first = await upload(server, alice, "slow");
  const blobs = blobsOf(ctx);
  const { remove } = blobs;
  const [begun, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  blobs.remove = async (sha256) => {
    blobs.remove = remove;
    begun.resolve();
    await goOn.promise;
    await remove(sha256);
  };
  const slow = removeMedia(ctx, [first]);
  await soon("the bytes are being taken away", begun.promise);
  await removeBlobs(ctx);
  const meanwhile = await upload(server, alice, "slow").catch(String);
  goOn.resolve();
  await slow;
  assert.match(meanwhile, /Upload it again/, "somebody is still taking them away");
  assert.equal(await download(server, alice, await upload(server, alice, "slow")), 200);
});
