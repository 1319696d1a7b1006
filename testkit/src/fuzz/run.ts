// Asks every operation again and again with bodies and queries in which something is of another type, and counts what comes back.
// The same seed asks the same.

import { AssertionError } from "node:assert";
import { seeded } from "../log/random.ts";
import { type Person, registerPerson, request } from "../http.ts";
import { makeAdministrator } from "../operators.ts";
import type { TestServer } from "../server.ts";
import { clientTargets, operatorTargets, type Target } from "./schemas.ts";
import { type Making, pick, type Random, sample, strangeValue, swapped } from "./values.ts";

export type FuzzOptions = {
  server: TestServer;
  /** Where the specification is. */
  dir: string;
  requests: number;
  seed: number;
  onProgress?: (done: number) => void;
};

export type FuzzResult = {
  /** How many answers there were of each status. */
  statuses: Map<number, number>;
  /** The server's own failures, and answers that break the specification: what was asked, and what came. */
  failures: string[];
  targets: number;
};

/** What would end the run, or change whom everybody else is. */
const endings =
  /^(maintenance\.|processes\.|users\.(deactivate|reset_sign_in|suspend|restrict)|operators\.|users\.set_role|rooms\.(shut_down|purge|block)|settings\.|registration\.|sign_in_settings\.change)/;
/** Answers with a status of 500 and more that are no failure: a file that nobody has uploaded yet, and a part that is not set up. */
const expected = new Set(["M_NOT_YET_UPLOADED", "IO_PARLEY_UNAVAILABLE"]);
const patience_ms = 20_000;
const atOnce = 8;

/** Runs it. Some requests are under way at a time, so their order is not promised; what is asked is. */
export async function fuzz({ server, dir, requests, seed, onProgress }: FuzzOptions): Promise<FuzzResult> {
  const random = seeded(seed).next;
  const { targets: ofClients, resolve } = clientTargets(dir);
  const targets = [...ofClients, ...operatorTargets((id) => !endings.test(id))];
  const world = await settle(server);
  const result: FuzzResult = { statuses: new Map(), failures: [], targets: targets.length };
  const making: Making = { random, resolve, known: (hint) => world.known(hint, random) };
  for (let done = 0; done < requests;) {
    const together = Array.from({ length: Math.min(atOnce, requests - done) }, () =>
      requestFor(making, pick(random, targets)),
    );
    await Promise.all(together.map((asked) => answer(world, asked, result)));
    done += together.length;
    onProgress?.(done);
  }
  return result;
}

type World = {
  server: TestServer;
  operator: Person;
  person: Person;
  known(hint: string, random: Random): string | undefined;
  /** Somebody else comes where this token is over. */
  renew(who: Target["who"], token: string): Promise<void>;
};

/** People, a room, an event: so that what is asked is about something. */
async function settle(server: TestServer): Promise<World> {
  const operator = await makeAdministrator(server, "operator");
  const other = await registerPerson(server.url, "other");
  const { room_id: room } = await operator.call("POST", "/_matrix/client/v3/createRoom", { preset: "public_chat" });
  const send = `/_matrix/client/v3/rooms/${room}/send/m.room.message/1`;
  const { event_id: event } = await operator.call("PUT", send, { msgtype: "m.text", body: "hello" });
  let made = 0;
  const world: World = {
    server,
    operator,
    person: other,
    known(hint, random) {
      const users = [world.person.userId, operator.userId, other.userId];
      if (/user|sender|^$/i.test(hint)) return pick(random, users);
      if (/room_?id/i.test(hint) || hint === "roomIdOrAlias" || hint === "mx-room-id") return room as string;
      if (/event_?id|mx-event-id/i.test(hint)) return event as string;
      if (/device/i.test(hint)) return world.person.deviceId;
      if (/serverName|mx-server-name/.test(hint)) return "localhost";
      return /eventType|^type$/.test(hint)
        ? pick(random, ["m.room.message", "m.room.name", "m.room.member"])
        : undefined;
    },
    async renew(who, token) {
      if (world[who].token !== token) return;
      const name = `${who}${++made}`;
      world[who] = who === "operator" ? await makeAdministrator(server, name) : await registerPerson(server.url, name);
      await world[who].ask("POST", `/_matrix/client/v3/join/${room}`, {});
    },
  };
  return world;
}

type Asked = { target: Target; path: string; body: unknown };

function requestFor(making: Making, target: Target): Asked {
  const { random } = making;
  const text = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
  const path = target.path.replaceAll(/\{([^}]+)\}/g, (_all, name: string) => {
    const value = random() < 0.8 ? (making.known(name) ?? pick(random, ["1", "text", "m.text"])) : strangeValue(random);
    return encodeURIComponent(text(value).toWellFormed().slice(0, 2_000)) || "_";
  });
  const query = new URLSearchParams();
  for (const [name, schema] of target.query) {
    if (random() < 0.5) continue;
    const value = random() < 0.5 ? sample(making, schema, { hint: name, depth: 0 }) : strangeValue(random);
    // Nobody waits here.
    const isWait = name.startsWith("timeout");
    for (const each of Array.isArray(value) ? value : [value])
      query.append(name, isWait ? pick(random, ["0", "-1", "x", ""]) : text(each).toWellFormed().slice(0, 2_000));
  }
  if (/\/(sync|events)$/.test(target.path) && !query.get("timeout")) query.set("timeout", "0");
  const asked = query.size === 0 ? path : `${path}?${query}`;
  return { target, path: asked, body: bodyFor(making, target) };
}

function bodyFor(making: Making, { body }: Target): unknown {
  const { random } = making;
  if (body === undefined) return undefined;
  const chance = random();
  // No JSON at all, or JSON that is no object.
  if (body === "bytes" || chance < 0.02)
    return Buffer.from(pick(random, ["", "{", "[]", "null", "1", '"a"', '{"a":', "\0", "{}{}", "[".repeat(5_000)]));
  const value = sample(making, body);
  return chance < 0.2 ? value : swapped(random, value);
}

async function answer(world: World, { target, path, body }: Asked, result: FuzzResult): Promise<void> {
  const { token } = target.who === "operator" ? world.operator : world.person;
  const what = () =>
    `${target.method} ${path} ${Buffer.isBuffer(body) ? String(body) : JSON.stringify(body)}`.slice(0, 1_500);
  try {
    const signal = AbortSignal.timeout(patience_ms);
    const sent = { token, signal, ...(body === undefined ? {} : { body }) };
    const { status, body: told } = await request(world.server.url, target.method, path, sent);
    result.statuses.set(status, (result.statuses.get(status) ?? 0) + 1);
    if (status >= 500 && !expected.has(told.errcode)) result.failures.push(`${status} ${told.errcode}: ${what()}`);
    if (status === 401 && /^M_(UNKNOWN_TOKEN|USER_LOCKED)$/.test(told.errcode)) await world.renew(target.who, token);
  } catch (thrown) {
    const told = thrown instanceof AssertionError ? thrown.message : `no answer (${String(thrown)})`;
    result.failures.push(`${told}: ${what()}`.slice(0, 2_500));
  }
}
