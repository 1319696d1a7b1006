import { performance } from "node:perf_hooks";
import {
  type Bench,
  inManyRooms,
  measureSteps,
  measureWindow,
  medianLatency,
  type Outcome,
  type Scenario,
} from "../bench.ts";
import { type Connection, connect, exchange } from "../http.ts";
import { call, headersOf, sendRequest, UnexpectedAnswer, type User } from "../matrix.ts";
import { createMeter, type Meter } from "../meter.ts";
import { messageText, uniqueTag } from "../sync-answer.ts";

const FEATURE = "org.matrix.simplified_msc3575";
const PATH = `/_matrix/client/unstable/${FEATURE}/sync`;

export const slidingSync: Scenario = {
  ...inManyRooms,
  name: "sliding-sync",
  title: "First answer of sliding sync to a user in many rooms, twenty of them on show",
  goals: [{ of: "value", below: 30 }],
  needsFeature: FEATURE,
  run: measureFirst,
};

export const slidingNews: Scenario = {
  ...inManyRooms,
  name: "sliding-sync-news",
  title: "Sliding sync that follows, one message in one room of many",
  goals: [{ of: "value", below: 2 }],
  needsFeature: FEATURE,
  run: measureNews,
};

/** As Element X asks: twenty rooms with their last event, and once they are there all of them; to-device messages from `since` on. */
function asked(last: number, since?: string): string {
  const required_state = [
    ["m.room.name", ""],
    ["m.room.encryption", ""],
    ["m.room.member", "$LAZY"],
    ["m.room.member", "$ME"],
    ["m.room.create", ""],
    ["m.room.avatar", ""],
  ];
  const all = { ranges: [[0, last]], timeline_limit: 1, required_state, filters: { not_room_types: ["m.space"] } };
  const enabled = { enabled: true };
  const extensions = {
    account_data: enabled,
    receipts: enabled,
    typing: enabled,
    e2ee: enabled,
    to_device: { ...enabled, since },
  };
  return JSON.stringify({ lists: { all }, extensions });
}

interface Slid {
  pos: string;
  extensions: { to_device: { next_batch: string } };
  rooms: Record<string, { timeline?: { content: { body?: string } }[] }>;
  bytes: number;
}

async function slide(
  connection: Connection,
  user: User,
  { body, query }: { body: string; query: string },
): Promise<Slid> {
  const request = { method: "POST" as const, path: `${PATH}?${query}`, body };
  const answer = await exchange(connection, { ...request, headers: headersOf(user) });
  if (answer.status !== 200) throw new UnexpectedAnswer(request, answer);
  return { ...(JSON.parse(answer.body.toString()) as Slid), bytes: answer.body.length };
}

const FIRST_ANSWERS = 25;
const ON_SHOW = 20;

async function measureFirst(bench: Bench): Promise<Outcome> {
  const { first, roomIds } = await bench.world();
  const connection = connect(bench.origin);
  const meter = createMeter();
  const took: number[] = [];
  let bytes = 0;
  const until = async (): Promise<void> => {
    for (let count = 0; count < FIRST_ANSWERS; count++) {
      const from_ms = performance.now();
      const answer = await slide(connection, first, { body: asked(ON_SHOW - 1), query: "timeout=0" });
      took.push(performance.now() - from_ms);
      meter.hit(took.at(-1) as number);
      bytes = answer.bytes;
      const shown = Object.keys(answer.rooms).length;
      if (shown !== ON_SHOW) throw new Error(`the answer shows ${shown} rooms`);
      bench.progress(`answer ${count + 1}/${FIRST_ANSWERS}`);
    }
  };
  const run = await measureWindow(bench, { meter, value: medianLatency, until });
  await connection.destroy();
  const [cold = 0] = took;
  return {
    runs: [run],
    notes: [`${roomIds.length} rooms, ${bytes} bytes; the first of the process took ${cold.toFixed(1)} ms`],
  };
}

/** The clock runs from the request to the answer that has the message. */
async function measureNews(bench: Bench): Promise<Outcome> {
  const { first, second, roomIds } = await bench.world();
  const connection = connect(bench.origin);
  const begun = await slide(connection, first, { body: asked(roomIds.length), query: "timeout=0" });
  const body = asked(roomIds.length, begun.extensions.to_device.next_batch);
  let { pos } = begun;
  for (let rooms = 1; rooms > 0;) {
    const more = await slide(connection, first, { body, query: `timeout=0&pos=${pos}` });
    pos = more.pos;
    rooms = Object.keys(more.rooms).length;
  }
  const tag = uniqueTag();
  let sent = 0;
  const step = async (meter: Meter): Promise<void> => {
    const text = messageText(tag, sent);
    await call(connection, second, sendRequest(roomIds[sent++ % roomIds.length] ?? "", text));
    const from_ms = performance.now();
    for (let seen = false; !seen;) {
      const answer = await slide(connection, first, { body, query: `timeout=10000&pos=${pos}` });
      pos = answer.pos;
      seen = Object.values(answer.rooms).some(({ timeline = [] }) =>
        timeline.some(({ content }) => content.body === text),
      );
    }
    meter.hit(performance.now() - from_ms);
  };
  try {
    return { runs: await measureSteps(bench, step), notes: [`${roomIds.length} rooms, all of them on show`] };
  } finally {
    await connection.destroy();
  }
}
