import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../../../testkit/src/http.ts";
import { startNeighbours } from "../../../testkit/src/neighbours.ts";
import { createRoom, type Query, type TestRoom } from "../../../testkit/src/room.ts";

const { alice, bob } = await startNeighbours(["alice", "bob"], { config: { roles: ["auth", "messages"] } });

const READERS = ["joined", "invited", "left", "banned", "stranger"] as const;
type Reader = (typeof READERS)[number];
type Visibility = "world_readable" | "shared" | "invited" | "joined";

/** The phases of bob's story: before he is invited, while he is, while he is in, and after. */
const PHASES: Record<Reader, number> = { stranger: 1, invited: 2, joined: 3, left: 4, banned: 4 };

/** Of which phases a reader sees the events. */
function seen(visibility: Visibility, reader: Reader): number[] {
  const all = Array.from({ length: PHASES[reader] }, (_, phase) => phase);
  if (visibility === "world_readable") return all;
  if (reader === "stranger") return [];
  if (reader === "invited") return visibility === "invited" ? [1] : [];
  const first = { shared: 0, invited: 1, joined: 2 }[visibility];
  return all.filter((phase) => phase >= first && phase < 3);
}

/** Whether the room can be read as a whole, or single events at the most. */
function mayRead(visibility: Visibility, reader: Reader): boolean {
  return visibility === "world_readable" || ["joined", "left", "banned"].includes(reader);
}

interface Story {
  room: TestRoom;
  /** The event that was sent in each phase; each is the root of a thread with one answer in its phase and in each later one. */
  roots: string[];
  phaseOf: Map<string, number>;
}

async function tellStory(visibility: Visibility, reader: Reader): Promise<Story> {
  const history = { type: "m.room.history_visibility", content: { history_visibility: visibility } };
  const room = await createRoom(alice, { initial_state: [history] });
  const story: Story = { room, roots: [], phaseOf: new Map() };
  const turns = [
    () => Promise.resolve(),
    () => room.change(alice, "invite", bob),
    () => room.change(bob, "join"),
    () => (reader === "banned" ? room.change(alice, "ban", bob) : room.change(bob, "leave")),
  ];
  for (const [phase, turn] of turns.slice(0, PHASES[reader]).entries()) {
    await turn();
    await speak(story, phase);
  }
  return story;
}

async function speak({ room, roots, phaseOf }: Story, phase: number): Promise<void> {
  roots.push(await room.say(alice, `root ${phase}`));
  for (const [i, event_id] of roots.entries())
    phaseOf.set(await room.say(alice, `answer to ${i}`, { rel_type: "m.thread", event_id }), phase);
  phaseOf.set(roots[phase] as string, phase);
}

/** The phases of those of the events that are the story's. */
function phasesOf({ phaseOf }: Story, events: readonly Json[]): number[] {
  const phases = events.map((event) => phaseOf.get(event.event_id)).filter((phase) => phase !== undefined);
  return [...new Set(phases)].toSorted((a, b) => a - b);
}

async function isRefused({ room }: Story, path: string, query?: Query): Promise<void> {
  const { status, body } = await room.ask(bob, path, query);
  assert.deepEqual([status, body.errcode], [403, "M_FORBIDDEN"], path);
}

async function checkPages(story: Story, expected: number[]): Promise<void> {
  for (const dir of ["b", "f"]) {
    const { chunk } = await story.room.read(bob, "messages", { dir, limit: 1_000 });
    assert.deepEqual(phasesOf(story, chunk), expected, `/messages ${dir}`);
  }
}

async function checkEvent(story: Story, root: string, expected: number[]): Promise<void> {
  const phase = story.phaseOf.get(root) as number;
  const paths = [`event/${root}`, `context/${root}`, `relations/${root}`];
  const answers = await Promise.all(paths.map((path) => story.room.ask(bob, path)));
  if (!expected.includes(phase)) {
    for (const { status, body } of answers) assert.deepEqual([status, body.errcode], [404, "M_NOT_FOUND"]);
    return;
  }
  const [event, context, relations] = answers.map(({ body }) => body);
  const answered = expected.filter((each) => each >= phase);
  const { count, latest_event } = event.unsigned["m.relations"]["m.thread"];
  assert.equal(count, answered.length, "the thread counts what is seen");
  assert.equal(story.phaseOf.get(latest_event.event_id), answered.at(-1), "the newest of it is seen");
  assert.deepEqual(phasesOf(story, relations.chunk), answered, "/relations");
  const around = [...context.events_before, context.event, ...context.events_after];
  for (const each of phasesOf(story, around)) assert.ok(expected.includes(each), `/context has phase ${each}`);
}

async function checkThreads(story: Story, expected: number[]): Promise<void> {
  const { chunk } = await story.room.read(bob, "threads");
  assert.deepEqual(phasesOf(story, chunk), expected, "/threads");
}

async function checkTimes(story: Story, expected: number[]): Promise<void> {
  const later = await story.room.ask(bob, "timestamp_to_event", { ts: 0, dir: "f" });
  const newest = await story.room.ask(bob, "timestamp_to_event", { ts: Date.now() + 60_000, dir: "b" });
  for (const { status, body } of [later, newest]) {
    assert.equal(status, 200);
    const phase = story.phaseOf.get(body.event_id);
    if (phase !== undefined) assert.ok(expected.includes(phase), "/timestamp_to_event");
  }
}

for (const visibility of ["world_readable", "shared", "invited", "joined"] as const)
  for (const reader of READERS)
    test(`with ${visibility} history, every path shows a reader who is ${reader} the same and no more`, async () => {
      const story = await tellStory(visibility, reader);
      const expected = seen(visibility, reader);
      for (const root of story.roots) await checkEvent(story, root, expected);
      if (mayRead(visibility, reader)) {
        await checkPages(story, expected);
        await checkThreads(story, expected);
        await checkTimes(story, expected);
      } else {
        await isRefused(story, "messages", { dir: "b" });
        await isRefused(story, "threads");
        await isRefused(story, "timestamp_to_event", { ts: 0, dir: "f" });
      }
    });

test("who forgot a room reads no more of it", async () => {
  const story = await tellStory("shared", "left");
  await bob.call("POST", `${story.room.path}/forget`, {});
  await isRefused(story, "messages", { dir: "b" });
  await isRefused(story, "threads");
});

test("a room that is not there is like one that may not be read", async () => {
  const hidden = await createRoom(alice);
  const nowhere = hidden.id.replace(/.$/, (last) => (last === "A" ? "B" : "A"));
  for (const path of ["messages?dir=b", "threads", "timestamp_to_event?ts=0&dir=f"]) {
    const [version] = path.startsWith("messages") ? ["v3"] : ["v1"];
    const ask = (id: string) => bob.ask("GET", `/_matrix/client/${version}/rooms/${encodeURIComponent(id)}/${path}`);
    const [one, other] = [await ask(hidden.id), await ask(nowhere)];
    assert.deepEqual([one.status, one.body], [other.status, other.body]);
  }
});

test("an event of one room is not found in another", async () => {
  const [one, other] = [await createRoom(alice), await createRoom(alice)];
  const id = await one.say(alice, "here");
  for (const path of [`event/${id}`, `context/${id}`, `relations/${id}`])
    assert.equal((await other.ask(alice, path)).status, 404, path);
});

test("what was hidden stays hidden in a room that anyone may read later", async () => {
  const history = { type: "m.room.history_visibility", content: { history_visibility: "joined" } };
  const room = await createRoom(alice, { initial_state: [history] });
  const secret = await room.say(alice, "secret");
  await room.set(alice, "m.room.history_visibility", { history_visibility: "world_readable" });
  const open = await room.say(alice, "open");
  await room.set(alice, "m.room.history_visibility", { history_visibility: "joined" });
  await room.say(alice, "hidden answer", { rel_type: "m.thread", event_id: open });
  await room.send(alice, {
    msgtype: "m.text",
    body: "* hidden edit",
    "m.new_content": { msgtype: "m.text", body: "hidden edit" },
    "m.relates_to": { rel_type: "m.replace", event_id: open },
  });
  await room.send(alice, { "m.relates_to": { rel_type: "m.reference", event_id: open } }, "org.example.vote");
  await room.set(alice, "m.room.history_visibility", { history_visibility: "world_readable" });
  const { chunk } = await room.read(bob, "messages", { dir: "b", limit: 100 });
  const bodies = chunk
    .filter((event: Json) => event.type === "m.room.message")
    .map((event: Json) => event.content.body);
  assert.deepEqual(bodies, ["open"]);
  const event = await room.read(bob, `event/${open}`);
  assert.equal(event.unsigned["m.relations"], undefined);
  assert.equal((await room.ask(bob, `event/${secret}`)).status, 404);
  assert.deepEqual((await room.read(bob, "threads")).chunk, []);
});
