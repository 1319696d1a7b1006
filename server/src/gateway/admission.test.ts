/** Clients that all come at once are let in one after the other, some at a time, and nobody keeps the others waiting for long. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { registerPerson } from "../../../testkit/src/http.ts";
import { createRoom } from "../../../testkit/src/room.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { openSocket } from "../../../testkit/src/stream.ts";
import { soon } from "../../../testkit/src/wait.ts";
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import { realSeams, type Seams } from "../seams.ts";
import { openAdmission } from "./admission.ts";

/** Timers that run when the test says so. */
function heldTimers() {
  const due: { delay_ms: number; action: () => void }[] = [];
  const seams: Seams = {
    ...realSeams,
    after: (delay_ms, action) => {
      const timer = { delay_ms, action };
      due.push(timer);
      return { cancel: () => void due.splice(due.indexOf(timer), 1) };
    },
  };
  return { seams, due };
}

test("turns come in their order, so many at a time; one that is never ended stops counting by itself", async () => {
  const { seams, due } = heldTimers();
  const admission = openAdmission(seams, 2);
  const begun: number[] = [];
  const turns = [0, 1, 2, 3].map((n) =>
    admission.turn().then((end) => {
      begun.push(n);
      return end;
    }),
  );
  const [first] = await soon("the first two have their turn", Promise.all(turns.slice(0, 2)));
  assert.deepEqual(begun, [0, 1]);
  first?.();
  first?.();
  await soon("the third has its turn when the first is over", turns[2] as Promise<unknown>);
  assert.deepEqual(begun, [0, 1, 2], "ending a turn twice lets in one");
  due[0]?.action();
  await soon("the fourth has its turn when the second lasts for too long", turns[3] as Promise<unknown>);
  assert.equal(due.length, 2, "nothing is left of turns that are over");
});

/** How many statements a process runs while so many people come back to it at once. */
async function statementsOfHerd(people: number): Promise<number> {
  const config = { bus: "postgresql" } as const;
  await using here = await startTestServer({ config });
  const owner = await registerPerson(here.url, "owner");
  const room = await createRoom(owner);
  const herd = [];
  for (let i = 0; i < people; i++) {
    const person = await registerPerson(here.url, `person${i}`);
    await room.change(person, "join");
    herd.push({ person, since: (await person.call("GET", "/_matrix/client/v3/sync")).next_batch as string });
  }
  const eventId = await room.say(owner, "while they were away");
  await using there = await startTestServer({ config, databaseUrl: here.databaseUrl });
  const count = countStatements(there.ctx);
  const streams = await Promise.all(herd.map(() => openSocket(there.url)));
  for (const [i, { person, since }] of herd.entries())
    streams[i]?.send({ type: "sign_in", access_token: person.token, since, set_presence: "offline" });
  await Promise.all(streams.map((stream) => stream.until((frame) => frame.type === "heartbeat")));
  for (const { frames } of streams) assert.ok(JSON.stringify(frames).includes(eventId), "each was told what it missed");
  for (const stream of streams) stream[Symbol.dispose]();
  return count();
}

function countStatements({ db }: Context): () => number {
  let count = 0;
  for (const schema of ["log", "auth", "account", "keys", "rooms"] as const)
    for (const way of ["query", "one", "change"] as const) {
      const run = db[schema][way] as (...given: unknown[]) => unknown;
      const counted = (...given: unknown[]) => {
        count += 1;
        return run(...given);
      };
      Object.assign(db[schema], { [way]: counted });
    }
  return () => count;
}

test("people who come back together are looked up together: a herd costs less than four statements each, where one alone costs nine", async () => {
  const [one, many] = [await statementsOfHerd(1), await statementsOfHerd(60)];
  assert.ok(one > 6, `${one} statements for one: the test does not count them all`);
  assert.ok(many < 60 * 4, `${one} statements for one, ${many} for 60`);
});

test("a connection waits for its turn before anything is looked up for it", async (t) => {
  const signIn_ms = 10_009;
  t.mock.property(limits, "streamSignIn_ms", signIn_ms as never);
  t.mock.property(limits, "streamTurns", 1 as never);
  // So a turn ends with what the client is told, and not by itself.
  t.mock.property(limits, "streamTurn_ms", 3_600_000 as never);
  // The time for signing in ends with the first frame of a connection: then it has come.
  let come = 0;
  const allCame = Promise.withResolvers<void>();
  const after: Seams["after"] = (delay_ms, action) => {
    const timer = realSeams.after(delay_ms, action);
    if (delay_ms !== signIn_ms) return timer;
    let isOver = false;
    const cancel = () => {
      timer.cancel();
      if (!isOver && ++come === 3) setImmediate(allCame.resolve);
      isOver = true;
    };
    return { cancel };
  };
  await using server = await startTestServer({ seams: { ...realSeams, after } });
  const alice = await registerPerson(server.url, "alice");
  const sockets = await Promise.all([1, 2, 3].map(() => openSocket(server.url)));
  const { authenticate } = server.ctx;
  let begun = 0;
  let atOnce: number | undefined;
  t.mock.property(server.ctx, "authenticate", async (...given: Parameters<typeof authenticate>) => {
    begun += 1;
    await soon("all have sent their first frame", allCame.promise);
    atOnce ??= begun;
    return authenticate(...given);
  });
  for (const socket of sockets) socket.send({ type: "sign_in", access_token: alice.token });
  await Promise.all(sockets.map((socket) => socket.until((frame) => frame.type === "heartbeat")));
  for (const socket of sockets) socket[Symbol.dispose]();
  assert.equal(atOnce, 1, "the first was alone while all had come");
});

test("how long the server takes to let somebody in is not held against them", async (t) => {
  const { seams, due } = heldTimers();
  // A time that no other part of the server waits for: they have timers too, at any moment.
  const signIn_ms = 10_007;
  t.mock.property(limits, "streamSignIn_ms", signIn_ms as never);
  await using server = await startTestServer({ seams: { ...seams, every: realSeams.every } });
  const alice = await registerPerson(server.url, "alice");
  using socket = await openSocket(server.url);
  const [late, ...others] = due.filter(({ delay_ms }) => delay_ms === signIn_ms);
  assert.ok(late && others.length === 0, "one connection, one time for signing in");
  const { ctx } = server;
  const { authenticate } = ctx;
  let isHeldAgainst: boolean | undefined;
  t.mock.property(ctx, "authenticate", (...given: Parameters<typeof authenticate>) => {
    isHeldAgainst = due.includes(late);
    return authenticate(...given);
  });
  socket.send({ type: "sign_in", access_token: alice.token });
  await socket.until((frame) => frame.type === "ready");
  assert.equal(isHeldAgainst, false, `the time for signing in, ${signIn_ms} ms, ends with the first frame`);
});
