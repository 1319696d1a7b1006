// A server that lies about messages: brings them again, elsewhere, as somebody else's, changed, in clear, or without their key.

import { test } from "node:test";
import type { Json } from "../src/http.ts";
import type { Someone } from "../src/people.ts";
import { screenOf } from "./messenger.ts";
import { aliceAndBob, asItCame, brings, madeUpId, startTrap, syncs } from "./trap.ts";

const REPEATED = "This repeats an earlier message";
const STOLEN = "The key of this message belongs to somebody else than its sender";
const NO_KEY = "✗ The key for this message has not arrived yet.";

test("a message that comes again under another id is said to be a repetition", async () => {
  await using trap = await startTrap();
  const { alice, bob, room, screen } = await aliceAndBob(trap);
  const yes = await bob.says(room, "yes");
  // The control: what Bob writes twice is no repetition, and the same event again is no second message.
  await bob.says(room, "yes");
  await screen.shows([
    ["bob", "yes"],
    ["bob", "yes"],
  ]);
  await brings(trap, alice, room, [asItCame(alice, room, yes)]);
  const again = { ...asItCame(alice, room, yes), event_id: madeUpId(), origin_server_ts: Date.now() };
  await brings(trap, alice, room, [again]);
  await screen.shows([
    ["bob", "yes"],
    ["bob", "yes"],
    ["bob", "yes", REPEATED],
  ]);
});

test("an earlier change of a message that comes again is said to be a repetition", async () => {
  await using trap = await startTrap();
  const { alice, bob, room, screen } = await aliceAndBob(trap);
  const id = await bob.says(room, "at one");
  const first = await bob.edits(room, id, "at two");
  await screen.shows([["bob", "at two"]]);
  await bob.edits(room, id, "at three");
  await screen.shows([["bob", "at three"]]);
  const again = { ...asItCame(alice, room, first), event_id: madeUpId(), origin_server_ts: Date.now() + 1000 };
  await brings(trap, alice, room, [again]);
  await screen.shows([["bob", "at two", REPEATED]]);
});

test("a message is readable in its room alone, and as its sender's alone", async () => {
  await using trap = await startTrap();
  const { alice, bob, room, screen } = await aliceAndBob(trap);
  const carol = await trap.town.person("carol");
  await alice.invites(room, carol);
  await carol.joins(room);
  await alice.sees(room, carol, "join");
  const elsewhere = await alice.createRoom({ invite: [bob] });
  await bob.joins(elsewhere);
  const other = screenOf(alice, elsewhere);
  const id = await bob.says(room, "delete it");
  await bob.says(elsewhere, "what about the draft?");
  await screen.shows([["bob", "delete it"]]);
  await other.shows([["bob", "what about the draft?"]]);

  const event = asItCame(alice, room, id);
  await brings(trap, alice, elsewhere, [{ ...event, event_id: madeUpId(), room_id: elsewhere }]);
  await other.shows([
    ["bob", "what about the draft?"],
    ["bob", NO_KEY],
  ]);
  await brings(trap, alice, room, [{ ...event, event_id: madeUpId(), sender: carol.userId }]);
  await screen.shows([
    ["bob", "delete it"],
    ["carol", "delete it", STOLEN],
  ]);
});

/** A change as the server can write it: in clear. */
function change(of: string, sender: string, body: string): Json {
  const relation = { rel_type: "m.replace", event_id: of };
  const content = { msgtype: "m.text", body: `* ${body}`, "m.new_content": { msgtype: "m.text", body } };
  return {
    type: "m.room.message",
    event_id: madeUpId(),
    sender,
    origin_server_ts: Date.now() + 1000,
    content: { ...content, "m.relates_to": relation },
  };
}

test("a message is changed by its writer alone, encrypted, and where they meant it", async () => {
  await using trap = await startTrap();
  const { alice, bob, room, screen } = await aliceAndBob(trap);
  const mallory = await trap.town.person("mallory");
  await alice.invites(room, mallory);
  await mallory.joins(room);
  const [price, place] = [await bob.says(room, "100 euro"), await bob.says(room, "in Ghent")];
  await screen.shows([
    ["bob", "100 euro"],
    ["bob", "in Ghent"],
  ]);
  const changed = await bob.edits(room, place, "in Bruges");
  const honest: [string, string][] = [
    ["bob", "100 euro"],
    ["bob", "in Bruges"],
  ];
  await screen.shows(honest);

  const seesAfter = async (event: Json) => {
    await brings(trap, alice, room, [event]);
    await bob.says(room, event.event_id);
    await alice.hears(room, event.event_id);
    honest.push(["bob", event.event_id]);
    await screen.shows(honest);
  };
  // By the server's word beside the message, which the SDK believes.
  const byMallory = await mallory.edits(room, price, "900 euro");
  await alice.until("the change has come", () => alice.room(room).findEventById(byMallory)?.getClearContent());
  const bundled = { "m.relations": { "m.replace": asItCame(alice, room, byMallory) } };
  await seesAfter({ ...asItCame(alice, room, price), unsigned: bundled });
  await seesAfter(change(price, bob.userId, "900 euro"));
  // A change of Bob's, brought to another of his messages.
  const moved = asItCame(alice, room, changed);
  moved.content["m.relates_to"].event_id = price;
  await seesAfter({ ...moved, event_id: madeUpId(), origin_server_ts: Date.now() + 2000 });
});

test("a message that the server calls a change of another is a message", async () => {
  await using trap = await startTrap();
  const { alice, bob, room, screen } = await aliceAndBob(trap);
  const id = await bob.says(room, "send it");
  await alice.hears(room, "send it");
  const lie = trap.malice.lies(alice, /\/sync\?/, ({ body }) => {
    const event = body.rooms?.join?.[room]?.timeline?.events.find(({ type }: Json) => type === "m.room.encrypted");
    if (event) event.content["m.relates_to"] = { rel_type: "m.replace", event_id: id };
    return event !== undefined;
  });
  await bob.says(room, "or rather not");
  await lie.told;
  lie.end();
  await screen.shows([
    ["bob", "send it"],
    ["bob", "or rather not"],
  ]);
});

test("a message in clear is said to be one, whenever the server says that it was sent, and in a quote", async () => {
  await using trap = await startTrap();
  const { alice, bob, room, screen } = await aliceAndBob(trap);
  const clear = (sender: Someone, body: string, at_ms: number): Json => ({
    type: "m.room.message",
    event_id: madeUpId(),
    sender: sender.userId,
    origin_server_ts: at_ms,
    content: { msgtype: "m.text", body },
  });
  const [now, old] = [clear(bob, "now", Date.now()), clear(alice, "long ago", 1_000_000_000_000)];
  await brings(trap, alice, room, [now, old]);
  await screen.shows([
    ["bob", "now", "Not encrypted"],
    ["alice", "long ago", "Not encrypted"],
  ]);
  const reply = (to: string) => ({
    msgtype: "m.text",
    body: "I agree",
    "m.relates_to": { "m.in_reply_to": { event_id: to } },
  });
  await bob.sends(room, "m.room.message", reply(old.event_id));
  await alice.hears(room, "I agree");
  const real = await alice.says(room, "really");
  await bob.sends(room, "m.room.message", reply(real));
  await screen.shows([
    ["bob", "now", "Not encrypted"],
    ["alice", "long ago", "Not encrypted"],
    ["bob", "> alice: Not encrypted: long ago | I agree"],
    ["alice", "really"],
    ["bob", "> alice: really | I agree"],
  ]);

  // The control: in a room without encryption there is nothing to warn of.
  const open = await alice.createRoom({ encrypted: false });
  await alice.says(open, "to everybody");
  await screenOf(alice, open).shows([["alice", "to everybody"]]);
});

test("an answer stays under the message that it answers", async () => {
  await using trap = await startTrap();
  const { alice, bob, room, screen } = await aliceAndBob(trap);
  const [lunch, firing] = [await alice.says(room, "lunch?"), await alice.says(room, "shall I fire him?")];
  await bob.hears(room, "shall I fire him?");
  const lie = trap.malice.lies(alice, /\/sync\?/, ({ body }) => {
    const events: Json[] = body.rooms?.join?.[room]?.timeline?.events ?? [];
    const event = events.find(({ content }) => content["m.relates_to"]);
    if (event) event.content["m.relates_to"]["m.in_reply_to"].event_id = firing;
    return event !== undefined;
  });
  const relation = { "m.in_reply_to": { event_id: lunch } };
  await bob.sends(room, "m.room.message", { msgtype: "m.text", body: "yes", "m.relates_to": relation });
  await lie.told;
  lie.end();
  await screen.shows([
    ["alice", "lunch?"],
    ["alice", "shall I fire him?"],
    ["bob", "> alice: lunch? | yes"],
  ]);
});

test("a message whose key the server keeps back is there without its words, and a change like that leaves what was there", async () => {
  await using trap = await startTrap();
  const { alice, bob, room, screen } = await aliceAndBob(trap);
  /** Keeps back what Bob's device sends to Alice's; ends that, and then brings it. */
  const keepsBack = () => {
    const kept: Json[] = [];
    const lie = trap.malice.lies(alice, /\/sync\?/, ({ body }) => {
      const events: Json[] = body.to_device?.events ?? [];
      const isKey = ({ type, sender }: Json) => type === "m.room.encrypted" && sender === bob.userId;
      kept.push(...events.filter(isKey));
      if (body.to_device) body.to_device.events = events.filter((event) => !isKey(event));
      return events.some(isKey);
    });
    return async () => {
      lie.end();
      await syncs(trap, alice, (body) => ((body.to_device ??= { events: [] }).events ??= []).push(...kept));
    };
  };
  const bringTheFirst = keepsBack();
  const id = await bob.says(room, "the plan");
  await screen.shows([["bob", NO_KEY]]);
  await bringTheFirst();
  await screen.shows([["bob", "the plan"]]);

  const bringTheSecond = keepsBack();
  await bob.crypto.forceDiscardSession(room);
  const change = await bob.edits(room, id, "another plan");
  await screen.shows([
    ["bob", "the plan"],
    ["bob", NO_KEY],
  ]);
  // The same with the message, as a server has it that was asked for the message alone.
  const bundled = { "m.relations": { "m.replace": asItCame(alice, room, change) } };
  await brings(trap, alice, room, [{ ...asItCame(alice, room, id), unsigned: bundled }]);
  await screen.shows([
    ["bob", "the plan", "Changed later, and this device cannot read the change"],
    ["bob", NO_KEY],
  ]);
  await bringTheSecond();
  await screen.shows([["bob", "another plan"]]);
});
