/**
 * Random histories of rooms: the server, asked by its clients, and the model must agree on every answer, on who is what in the end,
 * and on who sees which event. A failure prints the shortest history that shows it, and the seed.
 * `PARLEY_MODEL_RUNS` is how many histories there are; `PARLEY_TEST_SEED` repeats a run.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Json, type Person } from "../../../../testkit/src/http.ts";
import { startNeighbours } from "../../../../testkit/src/neighbours.ts";
import { type Act, attempt, type JoinRule, levelsAfter, type ModelRoom, type Scalar, type Visibility } from "./room.ts";
import { mayRead, sightIn } from "./sight.ts";

const CLIENT = "/_matrix/client/v3";
const RUNS = Number(process.env["PARLEY_MODEL_RUNS"] ?? 100);
const { server, alice, bob, carol } = await startNeighbours(["alice", "bob", "carol"], {
  config: { roles: ["auth", "messages"] },
});
const people = [alice, bob, carol];
const personOf = new Map(people.map((person) => [person.userId, person]));

const who = fc.constantFrom(...people.map(({ userId }) => userId));
const level = fc.constantFrom(0, 49, 50, 51, 100, 101);
const scalar = fc.constantFrom<Scalar[]>(
  "ban",
  "kick",
  "invite",
  "redact",
  "events_default",
  "state_default",
  "users_default",
);
const joinRule = fc.constantFrom<JoinRule[]>("public", "public", "invite", "knock", "restricted", "private");
const visibility = fc.constantFrom<Visibility[]>("world_readable", "shared", "invited", "joined");
const alone = fc.constantFrom("join" as const, "join" as const, "leave" as const, "knock" as const, "forget" as const);
const toAnother = fc.constantFrom(
  "invite" as const,
  "kick" as const,
  "ban" as const,
  "unban" as const,
  "redact" as const,
);

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: alone, who }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("say" as const), who }) },
  { weight: 5, arbitrary: fc.record({ do: toAnother, who, whom: who }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("power" as const), who, whom: who, level }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("level" as const), who, name: scalar, level }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("joinRule" as const), who, value: joinRule }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("visibility" as const), who, value: visibility }) },
);

interface Pair {
  path: string;
  model: ModelRoom;
  /** The ids of the events, in their order, that the model and the server have both. */
  ids: string[];
  /** The last message of each person. */
  messages: Map<string, string>;
}

interface Start {
  visibility: Visibility;
  joinRule: JoinRule;
  /** The power of Bob and of Carol: with few different numbers, equals are common. */
  levels: readonly [number, number];
}

async function newPair(version: string, start: Start): Promise<Pair> {
  const initial_state = [
    { type: "m.room.join_rules", content: { join_rule: start.joinRule } },
    { type: "m.room.history_visibility", content: { history_visibility: start.visibility } },
  ];
  const { room_id } = await alice.call("POST", `${CLIENT}/createRoom`, {
    room_version: version,
    initial_state,
    power_level_content_override: { users: { [bob.userId]: start.levels[0], [carol.userId]: start.levels[1] } },
  });
  const path = `${CLIENT}/rooms/${encodeURIComponent(room_id)}`;
  const creator = alice.userId;
  const model: ModelRoom = {
    creators: version === "12" ? [creator] : [],
    hasKnocking: true,
    members: new Map([[creator, "join"]]),
    forgotten: new Set(),
    joinRule: start.joinRule,
    levels: await alice.call("GET", `${path}/state/m.room.power_levels`),
    visibility: start.visibility,
    setBy: { joinRule: creator, levels: creator, visibility: creator },
    happened: [],
  };
  for (const event of await eventsOf(path)) model.happened.push(happeningOf(event));
  return { path, model, ids: [], messages: new Map() };
}

/** All events of the room, in the order of the log. */
async function eventsOf(path: string): Promise<Json[]> {
  const roomId = decodeURIComponent(path.slice(path.lastIndexOf("/") + 1));
  const sql = "select body from log.entries where kind = 'event' and room_id = $1 order by position";
  const rows = await server.ctx.db.log.query<{ body: string }>(sql, [roomId]);
  return rows.map(({ body }) => JSON.parse(body));
}

function happeningOf({ type, sender, state_key, content }: Json) {
  return {
    type,
    sender,
    ...(type === "m.room.member" && { target: state_key, membership: content.membership }),
    ...(type === "m.room.history_visibility" && { visibility: content.history_visibility }),
  };
}

/** Alice, who gives these, has 100 in rooms of older versions. */
function withinReach([a, b]: [number, number]): [number, number] {
  return [Math.min(a, 100), Math.min(b, 100)];
}

let transactions = 0;

/** The request that the act is: a client's. */
function requestOf({ path, model, messages }: Pair, each: Act): [string, string, object] {
  switch (each.do) {
    case "say":
      return ["PUT", `${path}/send/m.room.message/${++transactions}`, { msgtype: "m.text", body: "hello" }];
    case "redact":
      return ["PUT", `${path}/redact/${encodeURIComponent(messages.get(each.whom) as string)}/${++transactions}`, {}];
    case "power":
    case "level":
      return ["PUT", `${path}/state/m.room.power_levels`, levelsAfter(model.levels, each)];
    case "joinRule":
      return ["PUT", `${path}/state/m.room.join_rules`, { join_rule: each.value }];
    case "visibility":
      return ["PUT", `${path}/state/m.room.history_visibility`, { history_visibility: each.value }];
    case "knock":
      return ["POST", path.replace("/rooms/", "/knock/"), {}];
    default:
      return ["POST", `${path}/${each.do}`, "whom" in each ? { user_id: each.whom } : {}];
  }
}

async function perform(pair: Pair, each: Act): Promise<void> {
  // There is nothing to redact of somebody who has said nothing.
  if (each.do === "redact" && !pair.messages.has(each.whom)) return;
  const [method, path, body] = requestOf(pair, each);
  const answer = await (personOf.get(each.who) as Person).ask(method, path, body);
  const outcome = attempt(pair.model, each);
  const expected = outcome === "refused" ? [400, 403] : [200];
  assert.ok(expected.includes(answer.status), `${JSON.stringify(each)}: ${outcome}, but ${JSON.stringify(answer)}`);
  if (each.do === "say" && outcome === "done") pair.messages.set(each.who, answer.body.event_id);
}

/** Everything happened as the model says, and everybody is what it says. */
async function compareEvents(pair: Pair): Promise<void> {
  const events = await eventsOf(pair.path);
  pair.ids = events.map(({ event_id }) => event_id as string);
  assert.deepEqual(events.map(happeningOf), pair.model.happened);
}

async function compareSight(pair: Pair, reader: Person): Promise<void> {
  const seen = sightIn(pair.model, reader.userId);
  const answers = await Promise.all(
    pair.ids.map(async (id) => (await reader.ask("GET", `${pair.path}/event/${encodeURIComponent(id)}`)).status),
  );
  const told = (list: readonly boolean[]) => list.map((is, at) => `${is ? "sees" : "-"} ${label(pair, at)}`);
  assert.deepEqual(told(answers.map((status) => status === 200)), told(seen), `what ${reader.userId} sees`);
  const page = await reader.ask("GET", `${pair.path}/messages?dir=f&limit=100`);
  if (!mayRead(pair.model, reader.userId)) return assert.equal(page.status, 403, `${reader.userId} may not read`);
  const listed = new Set(page.body.chunk.map((event: Json) => event.event_id));
  assert.deepEqual(told(pair.ids.map((id) => listed.has(id))), told(seen), `what ${reader.userId} is given in pages`);
}

const label = ({ model }: Pair, at: number): string => JSON.stringify(model.happened[at]);

test("the server and the specification agree on every history of a room", async () => {
  const version = fc.constantFrom("10", "11", "12");
  const start = fc.record({ visibility, joinRule, levels: fc.tuple(level, level).map(withinReach) });
  const early = fc.subarray<Act>([
    { do: "join", who: bob.userId },
    { do: "invite", who: alice.userId, whom: carol.userId },
    { do: "join", who: carol.userId },
  ]);
  const property = fc.asyncProperty(
    version,
    start,
    fc.tuple(early, fc.array(act, { maxLength: 16, size: "max" })),
    async (id, from, acts) => {
      const pair = await newPair(id, from);
      for (const each of acts.flat()) await perform(pair, each);
      await compareEvents(pair);
      for (const reader of people) await compareSight(pair, reader);
    },
  );
  const seed = process.env["PARLEY_TEST_SEED"];
  await fc.assert(property, { numRuns: RUNS, ...(seed === undefined ? {} : { seed: Number(seed) }) });
});
