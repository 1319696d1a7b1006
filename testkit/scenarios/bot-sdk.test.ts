// matrix-bot-sdk, on which many bots and bridges are built, in the fork that is still maintained.

import assert from "node:assert/strict";
import { createRequire, Module } from "node:module";
import { after, test } from "node:test";
import { registerPerson } from "../src/http.ts";
import { startTestServer } from "../src/server.ts";
import { waitFor } from "../src/wait.ts";

type Load = (name: string, ...rest: unknown[]) => unknown;

// Its encryption is a native module that an install script would fetch. No room of this test is encrypted.
const internals = Module as unknown as { _load: Load };
const load = internals._load;
internals._load = (name, ...rest) =>
  name === "@matrix-org/matrix-sdk-crypto-nodejs" ? {} : load.call(Module, name, ...rest);
const sdk = createRequire(import.meta.url)("@vector-im/matrix-bot-sdk") as typeof import("@vector-im/matrix-bot-sdk");
sdk.LogService.muteModule("MatrixHttpClient");
sdk.LogService.setLevel(sdk.LogLevel.ERROR);

// It writes the power of a room's maker down, which rooms of version 12 refuse.
const server = await startTestServer({ config: { roomVersion: "11" } });
after(() => server.stop());

type Heard = {
  room: string;
  type: string;
  event_id: string;
  sender: string;
  state_key?: string;
  content: { body?: string };
};

/** A bot that joins wherever it is invited, and remembers what it was told. */
async function startBot(name: string) {
  const { token, userId } = await registerPerson(server.url, name);
  const client = new sdk.MatrixClient(server.url, token, new sdk.MemoryStorageProvider());
  sdk.AutojoinRoomsMixin.setupOnClient(client);
  const heard: Heard[] = [];
  const lookers = new Set<() => void>();
  client.on("room.event", (room: string, event: Heard) => {
    heard.push({ ...event, room });
    for (const look of lookers) look();
  });
  await client.start();
  const hears = (what: string, isIt: (event: Heard) => boolean) =>
    waitFor({
      what: `${name} hears ${what}`,
      check: () => heard.find(isIt),
      listen: (look) => {
        lookers.add(look);
        return () => lookers.delete(look);
      },
      instead: () => heard.map((each) => JSON.stringify(each)).join("\n"),
    });
  return { client, userId, hears, [Symbol.dispose]: () => client.stop() };
}

test("a bot of matrix-bot-sdk joins where it is invited, answers, reacts, reads and puts others out", async () => {
  using ann = await startBot("ann");
  using bot = await startBot("bot");
  const room = await ann.client.createRoom({ name: "the room", invite: [bot.userId] });
  await ann.hears("that it joined", ({ type, state_key }) => type === "m.room.member" && state_key === bot.userId);
  const asked = await ann.client.sendText(room, "are you there?");
  const question = await bot.hears("the question", ({ event_id }) => event_id === asked);
  await bot.client.setTyping(room, true, 1_000);
  await bot.client.replyHtmlText(room, question, "<b>yes</b>");
  const answer = await ann.hears(
    "the answer",
    ({ sender, content }) => sender === bot.userId && /yes/.test(content.body ?? ""),
  );
  await bot.client.sendReadReceipt(room, asked);
  await ann.client.unstableApis.addReactionToEvent(room, answer.event_id, "👍");
  const { chunk } = await ann.client.unstableApis.getRelationsForEvent(room, answer.event_id, "m.annotation");
  assert.deepEqual(
    chunk.map(({ type }) => type),
    ["m.reaction"],
  );
  assert.equal(await ann.client.userHasPowerLevelForAction(ann.userId, room, sdk.PowerLevelAction.Ban), true);
  assert.equal(await ann.client.userHasPowerLevelForAction(bot.userId, room, sdk.PowerLevelAction.Ban), false);
  await ann.client.kickUser(bot.userId, room);
  await ann.client.banUser(bot.userId, room, "spam");
  await assert.rejects(bot.client.joinRoom(room), { errcode: "M_FORBIDDEN" });
});

test("a bot of matrix-bot-sdk has files, a space with children, direct rooms and an alias", async () => {
  using ann = await startBot("carol");
  const { client } = ann;
  const file = Buffer.from("a file");
  const uri = await client.uploadContent(file, "text/plain", "a.txt");
  assert.deepEqual((await client.downloadContent(uri)).data, file);
  const space = await client.createSpace({ name: "the space", isPublic: false, localpart: "the-space" });
  const room = await client.createRoom({ name: "a child" });
  await space.addChildRoom(room, { via: ["localhost"] });
  assert.deepEqual(Object.keys(await space.getChildEntities()), [room]);
  assert.equal(await client.resolveRoom("#the-space:localhost"), space.roomId);
  const { userId: other } = await registerPerson(server.url, "dora");
  const direct = await client.dms.getOrCreateDm(other);
  assert.equal(await client.dms.getOrCreateDm(other), direct);
});
