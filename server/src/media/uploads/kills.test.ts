import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { registerPerson } from "../../../../testkit/src/http.ts";
import { diesIn } from "../../../../testkit/src/mortal.ts";
import { startTestServer } from "../../../../testkit/src/server.ts";
import type { Context } from "../../context.ts";
import { storeOf } from "../store.ts";
import { finishWhole } from "./finish.ts";
import { findUpload } from "./queries.ts";
import { receiveChunk } from "./receive.ts";

const PATH = "/_parley/client/v1/uploads";

/** What a process does with the bytes of one request. */
async function take(ctx: Context, mediaId: string, text: string): Promise<void> {
  await storeOf(ctx);
  const upload = await findUpload(ctx, mediaId);
  assert.ok(upload);
  const offset_bytes = await receiveChunk(ctx, upload, Readable.from([Buffer.from(text)]));
  await finishWhole(ctx, { ...upload, offset_bytes });
}

test("G7: a process that dies at any step of the last piece shows nothing half, and the upload is completed from where it stands", async () => {
  await using server = await startTestServer();
  const alice = await registerPerson(server.url, "alice");
  const own = { authorization: `Bearer ${alice.token}`, "tus-resumable": "1.0.0" };
  const ask = (path: string, method: string, headers: Record<string, string> = {}) =>
    fetch(server.url + path, { method, headers: { ...own, ...headers } });
  const patch = (path: string, offset: number, body: string) => {
    const headers = { ...own, "upload-offset": `${offset}`, "content-type": "application/offset+octet-stream" };
    return fetch(server.url + path, { method: "PATCH", headers, body });
  };
  let deaths = 0;
  for (const when of ["before", "after"] as const)
    for (let at = 1, died = true; died; at++) {
      // Bytes of its own in each half: those that were just deleted are not taken again at once.
      const text = `${when} ${at}: one half, and the other of ${when} ${at}`;
      const made = await ask(PATH, "POST", { "upload-length": `${text.length}` });
      const [path, { content_uri }] = [made.headers.get("location") as string, await made.json()];
      assert.equal((await patch(path, 0, text.slice(0, 14))).status, 204);
      const mediaId = path.slice(path.lastIndexOf("/") + 1);
      const download = () =>
        ask(`/_matrix/client/v1/media/download/${content_uri.replace("mxc://", "")}?timeout_ms=0`, "GET");
      died = await diesIn(server.ctx, { at, when, of: ["media"] }, (mortal) => take(mortal, mediaId, text.slice(14)));
      if (died) deaths += 1;
      const shown = await download();
      if (shown.status === 200) assert.equal(await shown.text(), text, `${when} ${at}: whole or not there`);
      else assert.equal(shown.status, 504);
      // As a client goes on: it asks how far the upload is, and sends the rest.
      const offset = Number((await ask(path, "HEAD")).headers.get("upload-offset"));
      if (offset < text.length) assert.equal((await patch(path, offset, text.slice(offset))).status, 204);
      assert.equal(await (await download()).text(), text, `${when} ${at}`);
    }
  assert.ok(deaths >= 8, `it died ${deaths} times`);
});
