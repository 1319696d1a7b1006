/** The port over any store: what the adapters have in common. */
import type { Bus } from "../bus/bus.ts";
import type { Logger } from "../logger.ts";
import type { Seams } from "../seams.ts";
import type { Ephemeral } from "./ephemeral.ts";
import { openExchanges } from "./exchanges.ts";
import { openHealth } from "./health.ts";
import { openOwnSessions } from "./own-sessions.ts";
import type { Store } from "./store.ts";
import { openUploads } from "./uploads.ts";
import { openView } from "./view.ts";

export interface SharedOptions {
  store: Store;
  /** Carries what one replica changed to the others; needed where the store is shared. */
  bus?: Bus;
  seams: Seams;
  logger: Pick<Logger, "warn">;
}

/** Opens the port. What the store has is known here once `written()` resolves. */
export function openShared({ store, bus, seams, logger }: SharedOptions): Ephemeral {
  const view = openView(seams);
  const health = openHealth({ name: store.name, seams, logger, onAway: view.goBlind });
  const exchanges = openExchanges({
    store,
    view,
    health,
    bus,
    seams,
    logger,
    onForgotten: () => own.repeat(),
  });
  const own = openOwnSessions({ seams, presence: view.presence, write: exchanges.write });
  const { close: closeUploads, ...uploads } = openUploads({ store, health, bus, seams });
  exchanges.want();
  return {
    clock: view.clock,
    typing: view.typing,
    presence: view.presence,
    presenceChanges: view.presenceChanges,
    listen: view.listen,
    setTyping: ({ roomId, userId, timeout_ms }) => exchanges.write({ room: roomId, user: userId, timeout_ms }),
    setPresence(userId, presence) {
      own.note(userId, presence);
      if (presence.active) view.noteActive(userId);
    },
    // What was set is dropped while the store is away, and a question to it may hang.
    written: () => (health.isAway() ? Promise.resolve() : exchanges.written()),
    ...uploads,
    spend: async (spendings) => (health.isAway() ? undefined : health.ask(() => store.spend(spendings))),
    async close() {
      own.close();
      await closeUploads();
      await exchanges.close();
      await store.close();
    },
  };
}
