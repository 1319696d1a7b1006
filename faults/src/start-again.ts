// A process that is started again while the database or the bus may be away.

import { setTimeout as wait } from "node:timers/promises";
import type { Member } from "../../testkit/src/cluster.ts";
import type { World } from "./world.ts";

/** How often, and how long apart, a process is started that can not start while the database is away. */
const START_ATTEMPTS = 20;
const START_PAUSE_MS = 500;

/**
 * A process refuses to start where the bus does not answer, so hints that get lost are mended after the first attempt. After `over` there
 * is no further one.
 */
export async function startAgain(world: Pick<World, "loseHints">, member: Member, over?: AbortSignal): Promise<void> {
  // Where somebody else has started it its port is taken.
  for (let attempt = 1; !member.isRunning; attempt++)
    try {
      return await member.start();
    } catch (thrown) {
      if (attempt === START_ATTEMPTS || over?.aborted) throw thrown;
      world.loseHints(0);
      await wait(START_PAUSE_MS);
    }
}
