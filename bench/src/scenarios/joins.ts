import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { type Bench, measureWindow, type Outcome, perSecond, type Scenario } from "../bench.ts";
import { connect, exchange, failureReason, retryAfter_ms } from "../http.ts";
import { createRoom, headersOf, joinRequest, type User } from "../matrix.ts";
import { createMeter, type Meter } from "../meter.ts";
import type { Run } from "../result.ts";

const JOINERS = 50;

export const joinsOneRoom: Scenario = {
  name: "joins-one",
  title: `Joins, ${JOINERS} users into one room at a time`,
  unit: "joins/s",
  goals: [{ of: "value", atLeast: 300 }],
  needs: { pair: 0, crowd: JOINERS + 1 },
  run: (bench) => measureJoins(bench, () => 0),
};

export const joinsManyRooms: Scenario = {
  name: "joins-many",
  title: `Joins, ${JOINERS} users into different rooms`,
  unit: "joins/s",
  goals: [{ of: "value", atLeast: 300 }],
  needs: { pair: 0, crowd: JOINERS + 1 },
  run: (bench) => measureJoins(bench, (joiner) => joiner),
};

/** Enough for 500 joins/s for a whole window; a faster server just ends the window sooner. */
const ROOMS_PER_SECOND = 10;

/**
 * Every joiner goes through all rooms, in the same order but from a place of its own: from the same
 * place, all of them come to a room at once. Rooms are new in each run, so that no join is a repeat.
 */
async function measureJoins(bench: Bench, startOf: (joiner: number) => number): Promise<Outcome> {
  const [owner, ...joiners] = bench.crowd.slice(0, JOINERS + 1);
  if (owner === undefined) throw new RangeError("needs users");
  const runs: Run[] = [];
  while (runs.length < bench.options.runs) {
    const roomIds = await createRooms(bench, owner, `run ${runs.length + 1}/${bench.options.runs}`);
    const meter = createMeter();
    const until = async (): Promise<void> => {
      const end_ms = performance.now() + bench.options.seconds * 1000;
      await Promise.all(
        joiners.map((user, index) =>
          joinAll(bench.origin, user, { roomIds: rotate(roomIds, startOf(index)), end_ms, meter }),
        ),
      );
    };
    runs.push(await measureWindow(bench, { meter, value: perSecond, until }));
  }
  return { runs, notes: [] };
}

async function createRooms(bench: Bench, owner: User, run: string): Promise<string[]> {
  const connection = connect(bench.origin);
  const count = Math.max(1, Math.ceil(bench.options.seconds * ROOMS_PER_SECOND));
  const roomIds: string[] = [];
  while (roomIds.length < count) {
    roomIds.push(await createRoom(connection, owner, "Joins"));
    bench.progress(`${run}, rooms ${roomIds.length}/${count}`);
  }
  await connection.destroy();
  return roomIds;
}

interface Joining {
  roomIds: readonly string[];
  end_ms: number;
  meter: Meter;
}

const AFTER_FAILURE_MS = 50;

async function joinAll(origin: string, user: User, { roomIds, end_ms, meter }: Joining): Promise<void> {
  const connection = connect(origin);
  const headers = headersOf(user);
  for (const roomId of roomIds) {
    const from_ms = performance.now();
    if (from_ms >= end_ms) break;
    try {
      const answer = await exchange(connection, { ...joinRequest(roomId), headers });
      if (answer.status === 200) {
        meter.hit(performance.now() - from_ms);
        continue;
      }
      meter.fail(String(answer.status));
      await sleep(Math.min(retryAfter_ms(answer, AFTER_FAILURE_MS), Math.max(0, end_ms - performance.now())));
    } catch (error) {
      meter.fail(failureReason(error));
    }
  }
  await connection.destroy();
}

function rotate(roomIds: readonly string[], start: number): string[] {
  const from = start % roomIds.length;
  return [...roomIds.slice(from), ...roomIds.slice(0, from)];
}
