// A town whose server lies, and how people hear of its lies.

import { type MaliciousServer, openMaliciousServer } from "../src/malicious-server.ts";
import { type Someone, startTown, type Town } from "../src/people.ts";
import type { Json } from "../src/http.ts";
import { setUpRecovery } from "../src/recovery.ts";
import { startTestServer } from "../src/server.ts";
import { screenOf } from "./messenger.ts";

export type Trap = AsyncDisposable & { town: Town; malice: MaliciousServer };

export async function startTrap(): Promise<Trap> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startTestServer());
  const malice = stack.use(await openMaliciousServer(server.url));
  const town = stack.use(await startTown({ url: malice.url }));
  const whole = stack.move();
  return { town, malice, [Symbol.asyncDispose]: () => whole.disposeAsync() };
}

/** Alice and Bob, with identities, in a room; Alice looks at it, unless she does not yet. */
export async function aliceAndBob(trap: Trap, { looks = true } = {}) {
  const alice = await trap.town.person("alice");
  const bob = await trap.town.person("bob");
  const [aliceKey, recoveryKey] = await Promise.all([setUpRecovery(alice), setUpRecovery(bob)]);
  const room = await alice.createRoom({ invite: [bob], is_direct: true });
  await bob.joins(room);
  await alice.sees(room, bob, "join");
  const screen = screenOf(alice, room);
  if (looks) await screen.tagIs("Encrypted");
  return { alice, bob, room, screen, recoveryKey, aliceKey };
}

let nudges = 0;

/** Has somebody's waiting sync answered. */
export async function nudge({ plain, userId }: Someone): Promise<void> {
  const path = `/_matrix/client/v3/user/${encodeURIComponent(userId)}/account_data/nudge`;
  await plain.call("PUT", path, { count: ++nudges });
}

/** Somebody's next sync says that another's keys have changed. Resolves when their app has asked for them. */
export async function hearsOfChange({ malice }: Trap, by: Someone, of: Someone): Promise<void> {
  const lie = malice.lies(by, /\/sync\?/, ({ body }) => {
    const changed = ((body.device_lists ??= {}).changed ??= []);
    changed.push(of.userId);
  });
  const asked = by.answered(/\/keys\/query/);
  await nudge(by);
  await lie.told;
  lie.end();
  await asked;
}

/** Somebody's next sync brings more than the server has to tell. Resolves when it has been answered. */
export async function syncs({ malice }: Trap, to: Someone, add: (body: Json) => void): Promise<void> {
  const lie = malice.lies(to, /\/sync\?/, ({ body }) => add(body));
  await nudge(to);
  await lie.told;
  lie.end();
}

/** Where a sync has the state of a room after its timeline, for clients that ask for it. */
export const STATE_AFTER = "org.matrix.msc4222.state_after";

/** Somebody's next sync brings these events at the end of a room, as if they had just been sent, and this state. */
export async function brings(
  trap: Trap,
  to: Someone,
  ...[roomId, events, state = []]: [roomId: string, events: Json[], state?: Json[]]
): Promise<void> {
  await syncs(trap, to, (body) => {
    const room = (((body.rooms ??= {}).join ??= {})[roomId] ??= {});
    const timeline = (room.timeline ??= { events: [], limited: false, prev_batch: body.next_batch });
    timeline.events.push(...structuredClone(events));
    (room[STATE_AFTER] ??= { events: [] }).events.push(...structuredClone(state));
  });
}

let made = 0;

/** The id of an event that the server has made up. */
export function madeUpId(): string {
  return `$${String(++made).padStart(43, "M")}`;
}

/** An event as it came to somebody, encrypted as it is. */
export function asItCame(to: Someone, roomId: string, eventId: string): Json {
  const event = to.room(roomId).findEventById(eventId);
  if (!event) throw new Error(`${to.label} has no event ${eventId}`);
  return structuredClone(event.event);
}
