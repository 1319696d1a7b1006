/** How many replies a thread has, of which the SDK and the server each know something. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MatrixEvent, type Room, type Thread } from "matrix-js-sdk";
import type { MessageItem } from "../timeline/item.ts";
import { threadOf } from "./threads.ts";

const ROOT = "$root";

const said = (event_id: string) =>
  new MatrixEvent({
    event_id,
    type: "m.room.message",
    room_id: "!r:localhost",
    sender: "@ana:localhost",
    origin_server_ts: 7,
    content: { msgtype: "m.text", body: event_id },
  });

interface Known {
  length: number;
  known: readonly string[];
  token?: string | null;
  isFetched?: boolean;
}

/** A thread as the SDK has it: `length` is its own number, `token` what older replies are asked for with. */
function linkWhere({ length, known, token = null, isFetched = true }: Known): MessageItem["thread"] {
  const [root, ...replies] = [ROOT, ...known].map(said);
  const thread = {
    id: ROOT,
    length,
    events: [root, ...replies],
    replyToEvent: replies.at(-1) ?? null,
    initialEventsFetched: isFetched,
    liveTimeline: { getPaginationToken: () => token },
  };
  const unread = { total: 2, highlight: 1 };
  const getThreadUnreadNotificationCount = (_: string, type: "total" | "highlight") => unread[type];
  const room = { getThread: () => thread as unknown as Thread, getThreadUnreadNotificationCount } as unknown as Room;
  return threadOf(room, root as MatrixEvent);
}

const countWhere = (known: Known) => linkWhere(known)?.count;
test("the replies of a thread that is here from its beginning are counted, whatever the SDK has added up", () => {
  assert.equal(countWhere({ length: 3, known: ["$one", "$two"] }), 2);
  assert.equal(countWhere({ length: 1, known: ["$one", "$two"] }), 2);
});

test("of a thread with older replies elsewhere, and of one that is not loaded, the larger number is the better one", () => {
  assert.equal(countWhere({ length: 40, known: ["$one", "$two"], token: "older" }), 40);
  assert.equal(countWhere({ length: 1, known: ["$one", "$two"], token: "older" }), 2);
  assert.equal(countWhere({ length: 5, known: [], isFetched: false }), 5);
});

test("what is unread of a thread goes with it, and how often one is named", () => {
  assert.deepEqual(linkWhere({ length: 1, known: ["$one"] }), { count: 1, last_ms: 7, unread: 2, mentions: 1 });
});
