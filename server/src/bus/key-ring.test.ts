/** G9: the key of the bus changes while processes talk, and nobody misses a word. */
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { createTestDatabase } from "../../../testkit/src/server.ts";
import { rotateBus } from "../cli/rotate-bus.ts";
import { connectOwner, type Database, openDatabase } from "../db/database.ts";
import { createLogger } from "../logger.ts";
import { pause, realSeams, type Seams } from "../seams.ts";
import { openKeyRing } from "./key-ring.ts";
import { sealed } from "./seal.ts";
import type { Transport } from "./transport.ts";

const logger = createLogger("silent");
/** Processes look for keys this often here. */
const LOOK_MS = 40;
const seams: Seams = { ...realSeams, every: (_every_ms, action) => realSeams.every(LOOK_MS, action) };

/** A broker that hands every packet to everybody at once. */
function openBroker(): Transport<Buffer> {
  const packets = new EventEmitter().setMaxListeners(0);
  return {
    name: "test",
    setting: "NONE",
    packet_bytes: 65_536,
    connect: async ({ onPacket }) => {
      packets.on("packet", onPacket);
      return {
        send: async (each) => {
          for (const packet of each) packets.emit("packet", packet);
        },
        close: async () => void packets.off("packet", onPacket),
      };
    },
  };
}

/** Three processes that talk without a pause while `change` runs; gives how many words there were and how many were not understood. */
async function talkDuring(db: Database, change: () => Promise<void>): Promise<{ sent: number; missed: number }> {
  const broker = openBroker();
  let missed = 0;
  const onForeign = () => (missed += 1);
  const joined = await Promise.all(
    [1, 2, 3].map(async () => {
      const keys = await openKeyRing({ db: db.log, seams, logger });
      const transport = sealed(broker, { keys, seams, onForeign });
      return { keys, link: await transport.connect({ onPacket: () => {}, onLost: () => {} }) };
    }),
  );
  let sent = 0;
  const over = new AbortController();
  const talking = (async () => {
    while (!over.signal.aborted) {
      for (const { link } of joined) await link.send([`word ${++sent}`]);
      await pause(realSeams, 1);
    }
  })();
  try {
    await change();
  } finally {
    over.abort();
    await talking;
    for (const { keys, link } of joined) {
      keys.close();
      await link.close();
    }
  }
  return { sent, missed };
}

test("the key of the bus is rotated while processes talk, every word is understood, and the old key opens nothing after it", async () => {
  await using database = await createTestDatabase();
  const db = openDatabase({ url: database.url, connections: 2, onError: () => {} });
  const keyNow = async () => (await db.log.one<{ bus_key: Buffer }>("select bus_key from log.installation"))?.bus_key;
  const first = await keyNow();
  const said: string[] = [];
  const rotate = () =>
    rotateBus({ address: database.url, seams: realSeams, say: (text) => said.push(text), wait_ms: 500 });
  const { sent, missed } = await talkDuring(db, rotate);
  assert.ok(sent > 100);
  assert.equal(missed, 0);
  assert.equal(said.length, 3);
  assert.notDeepEqual(await keyNow(), first);
  const ring = await openKeyRing({ db: db.log, seams, logger });
  assert.equal(ring.opening().length, 1);
  ring.close();
  await db.close();
});

test("control of G9: where the next key is not published before it is used, words are missed", async () => {
  await using database = await createTestDatabase();
  const db = openDatabase({ url: database.url, connections: 2, onError: () => {} });
  const { missed } = await talkDuring(db, async () => {
    const owner = await connectOwner(database.url);
    for (const byte of [1, 2, 3, 4, 5]) {
      await owner.query("update log.installation set bus_key = $1", [Buffer.alloc(32, byte)]);
      await pause(realSeams, 3 * LOOK_MS);
    }
    await owner.end();
  });
  assert.ok(missed > 0);
  await db.close();
});
