/** The one switch between the stores that typing, presence, upload progress and limits are shared through. */
import type { Bus } from "../bus/bus.ts";
import type { Config } from "../config.ts";
import type { Db } from "../db/database.ts";
import type { Logger } from "../logger.ts";
import type { Seams } from "../seams.ts";
import type { Ephemeral } from "./ephemeral.ts";
import { openShared } from "./shared.ts";
import type { Store } from "./store.ts";

export interface EphemeralOptions {
  config: Pick<Config, "ephemeral" | "redisUrl">;
  db: Db;
  bus: Bus;
  seams: Seams;
  logger: Pick<Logger, "warn">;
}

/** Opens the port with the store of the settings, knowing what the store has. A store that is away does not keep it. */
export async function openEphemeral(options: EphemeralOptions): Promise<Ephemeral> {
  const { bus, seams, logger } = options;
  const ephemeral = openShared({ store: await openStore(options), bus, seams, logger });
  await ephemeral.written();
  return ephemeral;
}

/** The store alone, as the settings name it. One that is away is told by its first answer. */
export async function openStore({
  config,
  db,
  seams,
}: Pick<EphemeralOptions, "config" | "db" | "seams">): Promise<Store> {
  switch (config.ephemeral) {
    case "memory":
      return (await import("./memory.ts")).openMemoryStore(seams);
    case "redis":
      return (await import("./redis.ts")).openRedisStore(config.redisUrl as string, seams);
    case "postgresql":
      return (await import("./postgresql.ts")).openPostgresqlStore({ db, seams });
  }
}
