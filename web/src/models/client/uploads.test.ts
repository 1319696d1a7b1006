import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient, Room } from "matrix-js-sdk";
import { guardClosing } from "./closing.ts";
import { openUploads } from "./uploads.ts";

const ME = "@me:x.org";

async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise<void>((resolve) => void setImmediate(resolve));
}

/** The uploads of a room; `upload` is what the server does with a file. `sent` are the names of the messages, in their order. */
function uploadsWith(upload: (name: string) => Promise<void>) {
  const client = createClient({ baseUrl: "https://x.org", userId: ME });
  const sent: string[] = [];
  Object.assign(client, {
    async uploadContent(file: File) {
      await upload(file.name);
      return { content_uri: `mxc://x.org/${file.name}` };
    },
    async sendMessage(_room: string, _thread: string | null, content: { filename: string }) {
      await turns();
      sent.push(content.filename);
      return { event_id: `$${content.filename}` };
    },
  });
  const closing = guardClosing(new EventTarget());
  const uploads = openUploads({ client, room: new Room("!r:x.org", client, ME), closing });
  return { uploads, sent, closing };
}

const named = (...names: string[]) => names.map((name) => new File([name], name, { type: "text/plain" }));
const plain = { rootId: undefined, caption: undefined };

test("files are sent in the order in which they were chosen, also where a later one is there sooner", async () => {
  const { uploads, sent, closing } = uploadsWith((name) => (name === "slow" ? turns() : Promise.resolve()));
  uploads.add(named("slow", "quick"), plain);
  uploads.add(named("last"), plain);
  assert.deepEqual(
    uploads.of(undefined).map(({ name }) => name),
    ["slow", "quick", "last"],
  );
  for (let patience = 0; patience < 10; patience += 1) await turns();
  assert.deepEqual(sent, ["slow", "quick", "last"]);
  assert.deepEqual(closing.all(), []);
});

test("a file that is refused or given up does not hold up those behind it", async () => {
  const { uploads, sent } = uploadsWith(async (name) => {
    if (name === "refused") throw Object.assign(new Error("no"), { httpStatus: 413 });
  });
  uploads.add(named("refused", "given up", "last"), plain);
  uploads.cancel(uploads.of(undefined)[1]?.key ?? "");
  for (let patience = 0; patience < 10; patience += 1) await turns();
  assert.deepEqual(sent, ["last"]);
  const [left] = uploads.of(undefined);
  assert.deepEqual([left?.name, left?.phase], ["refused", "failed"]);
  assert.equal(left?.failure, "the file is too large for this server");
});
