import { type Bench, measureRuns, type Outcome, perSecond, type Scenario, takeUsers } from "../bench.ts";
import { connect } from "../http.ts";
import { createLedger } from "../ledger.ts";
import { createRoom, joinRoom, type User } from "../matrix.ts";
import { createMeter, type Meter } from "../meter.ts";
import { type Lane, type Running, startSenders } from "../senders.ts";
import { uniqueTag } from "../sync-answer.ts";

const MANY = 32;
const TOGETHER = 10;

export const sendsManyRooms: Scenario = {
  name: "sends-many",
  title: `Sends, ${MANY} senders in ${MANY} rooms`,
  unit: "sends/s",
  goals: [
    { of: "value", atLeast: 3_000 },
    { of: "p99_ms", below: 40 },
  ],
  needs: { pair: 0, crowd: MANY },
  run: (bench) => measureSends(bench, takeUsers(bench.crowd, MANY), roomEach),
};

export const sendsOneRoom: Scenario = {
  name: "sends-one",
  title: `Sends, ${TOGETHER} senders in one room`,
  unit: "sends/s",
  goals: [{ of: "value", atLeast: 1_500 }],
  needs: { pair: 0, crowd: TOGETHER },
  run: (bench) => measureSends(bench, takeUsers(bench.crowd, TOGETHER), roomTogether),
};

type Arrange = (origin: string, users: readonly User[]) => Promise<Lane[]>;

async function measureSends(bench: Bench, users: readonly User[], arrange: Arrange): Promise<Outcome> {
  const lanes = await arrange(bench.origin, users);
  const meter = createMeter();
  const senders = startSenders({ origin: bench.origin, lanes, tag: uniqueTag(), ledger: createLedger(0), meter });
  try {
    return { runs: await measureRuns(bench, meter, perSecond), notes: [] };
  } finally {
    await senders.stop();
  }
}

export interface Alone {
  users: readonly User[];
  meter: Meter;
  perSecond: number;
}

/** Users who send by the clock, each in a room of their own, beside what is measured. */
export async function startAlone(origin: string, { users, meter, perSecond: rate }: Alone): Promise<Running> {
  const lanes = await roomEach(origin, users);
  return startSenders({ origin, lanes, tag: uniqueTag(), ledger: createLedger(0), meter, interval_ms: 1000 / rate });
}

/** A room for each of the users. */
export async function roomEach(origin: string, users: readonly User[]): Promise<Lane[]> {
  const connection = connect(origin);
  const lanes: Lane[] = [];
  for (const user of users) lanes.push({ user, roomId: await createRoom(connection, user, "Sends, one of many") });
  await connection.destroy();
  return lanes;
}

/** One room with all of the users in it. */
export async function roomTogether(origin: string, users: readonly User[]): Promise<Lane[]> {
  const [owner, ...others] = users;
  if (owner === undefined) return [];
  const connection = connect(origin);
  const roomId = await createRoom(connection, owner, "Together");
  for (const user of others) await joinRoom(connection, user, roomId);
  await connection.destroy();
  return users.map((user) => ({ user, roomId }));
}
