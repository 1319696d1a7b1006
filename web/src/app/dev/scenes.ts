import type { TimelineItem } from "../../models/timeline/item.ts";
import { ANA, at, BOT, change, KENJI, MARA, PRIYA, say, upload } from "./people.ts";

/** The channel of the design's picture. */
export function incident(): TimelineItem[] {
  return [
    say(
      ANA,
      at(9, 41),
      "p99 on `/v1/sync` went from 80 ms to 1.4 s at 09:36. Rolling back [#release-train](https://matrix.to/#/%23release-train%3Anorthwind.example) build 2211 now.",
      {
        reactions: [
          { key: "👀", count: 4, names: ["Mara Silva", "Kenji Mori", "Priya Rao", "Tom"], mine: true },
          { key: "🙏", count: 1, names: ["Kenji Mori"], mine: false },
        ],
        thread: { count: 6, last_ms: Date.now() - 125_000, unread: 2, mentions: 1 },
      },
    ),
    say(
      KENJI,
      at(9, 44),
      "Query plan flipped. This is the one:\n\n```\nSeq Scan on message_index  (cost=0.00..88214.10 rows=1)\n  Filter: (channel_id = $1 AND seq > $2)\n```",
    ),
    say(ANA, at(9, 47), "@Mara Silva can you confirm the index build finished on the replica before I fail over?", {
      mentionsMe: true,
    }),
    say(MARA, at(9, 48), "Confirmed, valid and in use. Attaching the plan."),
    upload(at(9, 48)),
    say(MARA, at(9, 59), "Failing over in 60 seconds unless someone objects.", { status: "waiting" }),
  ];
}

export function replies(): TimelineItem[] {
  return [
    say(ANA, at(9, 41), "p99 on `/v1/sync` went from 80 ms to 1.4 s at 09:36."),
    say(PRIYA, at(9, 42), "Seeing it from Frankfurt too, login is fine."),
    say(KENJI, at(9, 43), "Autovacuum ran at 09:35 and reset stats."),
    say(BOT, at(9, 44), "Rollback to 2210 started. [run 8841](https://ci.example/8841)"),
  ];
}

/** Every kind of row at once. */
export function states(): TimelineItem[] {
  return [
    change(at(10, 0, 1), "Ana Duarte created the channel"),
    change(at(10, 1, 1), "Kenji joined", { action: "joined", name: "Kenji Mori" }),
    change(at(10, 2, 1), "Priya joined", { action: "joined", name: "Priya Rao" }),
    say(
      ANA,
      at(10, 5, 1),
      "Welcome. **Bold**, _italic_, ~~gone~~ and a [link](https://example.org).\n\n- one\n- two\n\n> A quote of two\n> lines\n\n| a | b |\n|---|---|\n| 1 | 2 |",
    ),
    say(ANA, at(10, 6, 1), "A second message of the same run", { edited: true }),
    say(KENJI, at(10, 30, 1), "👍🎉", { body: { kind: "text", nodes: [{ t: "text", v: "👍🎉" }], onlyEmoji: true } }),
    say(KENJI, at(10, 31, 1), "Agreed", {
      replyTo: { id: "$event1", sender: ANA, text: "Welcome. Bold, italic, gone and a link." },
    }),
    say(PRIYA, at(9, 0), "", { body: { kind: "redacted", by: "Priya Rao" } }),
    say(PRIYA, at(9, 1), "", {
      body: { kind: "undecryptable", reason: "Sent before this device was signed in.", canRetry: true, waiting: false },
    }),
    say(PRIYA, at(9, 2), "From a new laptop", { deviceWarning: "Sent from a device that Priya Rao has not confirmed" }),
    say(PRIYA, at(9, 20), "", {
      body: { kind: "file", source: { mxc: "mxc://x/1", mime: "text/plain", name: "plan.txt", size_bytes: 18_400 } },
    }),
    say(PRIYA, at(9, 21), "", {
      body: {
        kind: "image",
        width: 800,
        height: 450,
        full: { mxc: "mxc://x/2", mime: "image/png", name: "graph.png" },
        preview: { mxc: "mxc://x/2", mime: "image/png", name: "graph.png" },
      },
    }),
    say(ANA, at(9, 40), "waves", { body: { kind: "emote", nodes: [{ t: "text", v: "waves" }] } }),
    say(MARA, at(9, 48), "On the server", { arrived: "sent" }),
    say(MARA, at(9, 49), "On everybody's devices", { arrived: "delivered" }),
    say(MARA, at(9, 50), "Seen by everyone", { arrived: "delivered", seenBy: [ANA, KENJI] }),
    say(MARA, at(9, 51), "This one is too large", { status: "failed", failure: "the message is too large" }),
    say(MARA, at(9, 52), "On its way", { status: "sending" }),
    upload(at(9, 53), { key: "upload 2", phase: "waiting" }),
    upload(at(9, 53), { key: "upload 3", phase: "waiting", size_bytes: 90_000_000, inTabOnly: true }),
    upload(at(9, 53), { phase: "failed", failure: "the file is larger than 50 MB" }),
  ];
}
