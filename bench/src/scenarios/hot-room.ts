import { type Bench, type Outcome, perSecond, type Scenario } from "../bench.ts";
import { onFleet, startFleet } from "../fleet.ts";
import { connect } from "../http.ts";
import { createRoom, joinRoom, type User } from "../matrix.ts";
import { startStreamReaders } from "../stream-readers.ts";
import { scanReader } from "../sync-answer.ts";
import { prepareUsers } from "../users.ts";
import { measureAmong } from "./deliveries.ts";

/** How many of the members are connected, at most. */
const CONNECTED = 300;
const JOINS_AT_ONCE = 16;

export const hotRoom: Scenario = {
  name: "hot-room",
  title: `Deliveries in one room of thousands, to the ${CONNECTED} members who are on the stream`,
  unit: "deliveries/s",
  goals: [],
  needs: { pair: 0, crowd: 0 },
  needsOwnServers: true,
  run: measureHotRoom,
};

async function measureHotRoom(bench: Bench): Promise<Outcome> {
  const { members, deliverySenders } = bench.options;
  await using fleet = await startFleet(1);
  const own = onFleet(bench, fleet);
  const users = await prepareUsers({ origin: own.origin, count: members, progress: bench.progress });
  const { roomId, seconds } = await gather(own, users);
  const lanes = users.slice(0, CONNECTED).map((user) => ({ user, roomId }));
  const { runs, notes } = await measureAmong(own, lanes, {
    members: lanes.length,
    senders: Math.min(lanes.length, deliverySenders),
    reader: scanReader,
    value: perSecond,
    start: startStreamReaders,
  });
  const joined = `${members} members, who joined in ${seconds.toFixed(1)} s, ${JOINS_AT_ONCE} at once`;
  return { runs, notes: [joined, ...notes] };
}

async function gather(bench: Bench, [owner, ...others]: readonly User[]): Promise<{ roomId: string; seconds: number }> {
  if (owner === undefined) throw new RangeError("needs users");
  const connection = connect(bench.origin);
  const roomId = await createRoom(connection, owner, "Hot");
  await connection.destroy();
  const from_ms = performance.now();
  let next = 0;
  const work = async (): Promise<void> => {
    const own = connect(bench.origin);
    for (let user = others[next++]; user; user = others[next++]) {
      await joinRoom(own, user, roomId);
      bench.progress(`joins ${next}/${others.length}`);
    }
    await own.destroy();
  };
  await Promise.all(Array.from({ length: JOINS_AT_ONCE }, work));
  return { roomId, seconds: (performance.now() - from_ms) / 1000 };
}
