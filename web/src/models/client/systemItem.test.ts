import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient, MatrixEvent, Room } from "matrix-js-sdk";
import { systemItem } from "./systemItem.ts";

const [ANA, BEN] = ["@ana:x.org", "@ben:x.org"];

/** What is told of the making of a room by Ana, who invites Ben at once; Ben joins later and names it. */
async function told(me: string, direct: string[] | null): Promise<string[]> {
  const room = new Room("!r:x.org", createClient({ baseUrl: "https://x.org", userId: me }), me);
  const state = (type: string, sender: string, more: { at: number; key?: string; content: object }) =>
    new MatrixEvent({
      event_id: `$${type}${more.at}`,
      room_id: room.roomId,
      type,
      sender,
      state_key: more.key ?? "",
      origin_server_ts: more.at,
      content: more.content,
    });
  const member = (membership: string) => ({ membership, displayname: undefined });
  const events = [
    state("m.room.create", ANA, { at: 1, content: { room_version: "11" } }),
    state("m.room.member", ANA, { at: 2, key: ANA, content: member("join") }),
    state("m.room.member", ANA, { at: 3, key: BEN, content: member("invite") }),
    state("m.room.member", BEN, { at: 90_000, key: BEN, content: member("join") }),
    state("m.room.name", BEN, { at: 99_000, content: { name: "Trip" } }),
  ];
  await room.addLiveEvents(events, { addToState: true });
  return events.flatMap((event) => systemItem({ room, direct, me }, event)?.text ?? []);
}

test("a direct room is a conversation with the other person, for both of them, and no channel", async () => {
  const expected = ["ana started this conversation with ben", "ben joined", "ben named the conversation Trip"];
  assert.deepEqual(await told(ANA, [BEN]), expected);
  assert.deepEqual(await told(BEN, [ANA]), expected);
});

test("of a channel it is told who made it and who was invited", async () => {
  assert.deepEqual(await told(ANA, null), [
    "ana created this channel",
    "ana invited ben",
    "ben joined",
    "ben named the channel Trip",
  ]);
});
