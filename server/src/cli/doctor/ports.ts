/** The ports: bus, queue, ephemeral store, blob store. Each is used for a moment, as the processes use it. */
import { readInstallation } from "../../bus/installation.ts";
import { openKeyRing } from "../../bus/key-ring.ts";
import { openBus } from "../../bus/open.ts";
import type { Config } from "../../config.ts";
import type { Bus } from "../../bus/bus.ts";
import { openBlobs } from "../../blobs/open.ts";
import { within } from "../../db/outage.ts";
import { openStore } from "../../ephemeral/open.ts";
import { limits } from "../../limits.ts";
import { createLogger } from "../../logger.ts";
import { createMetrics } from "../../metrics.ts";
import { openQueue } from "../../queue/open.ts";
import { asError } from "../../errors.ts";
import { openMasterKeys } from "../../secrets/master-keys.ts";
import type { Check, Finding, Patient } from "./finding.ts";

const silent = createLogger("silent");

/** Runs `use` with the bus, which counts as reached when it has been opened. */
async function withBus<T>({ config, db, databaseUrl, seams }: Patient, use: (bus: Bus) => Promise<T>): Promise<T> {
  const masterKeys = await openMasterKeys({ config: config.secrets, seams, logger: silent });
  const keys = await openKeyRing({ db: db.log, seams, logger: silent, masterKeys });
  try {
    const installation = await readInstallation(db.log);
    const world = { config, databaseUrl, installation, keys, seams, logger: silent, metrics: createMetrics() };
    const bus = await within(seams, 2 * limits.busConnect_ms, openBus(world));
    try {
      return await use(bus);
    } finally {
      await bus.close();
    }
  } finally {
    keys.close();
    masterKeys?.close();
  }
}

export const bus: Check = {
  name: "bus",
  async look(patient) {
    const name = patient.config.bus;
    try {
      await withBus(patient, async () => {});
      return [{ check: "bus", state: "ok", says: `The bus (${name}) carries packets.` }];
    } catch (thrown) {
      return unreachable("bus", `The bus (${name}) can not be used`, thrown);
    }
  },
};

export const queue: Check = {
  name: "queue",
  async look(patient) {
    const { config, db, seams } = patient;
    if (config.queue === "none") return [{ check: "queue", state: "ok", says: "No queue is set." }];
    try {
      return await withBus({ ...patient, config: { ...config, bus: "memory" } }, async (bus) => {
        const opened = await openQueue({
          config,
          db: db.queue,
          bus,
          seams,
          logger: silent,
          registry: createMetrics().registry,
        });
        try {
          const depths = (await within(seams, limits.queueConnect_ms, opened?.depths() ?? Promise.resolve([]))) ?? [];
          return depthFindings(config.queue, depths);
        } finally {
          await opened?.close();
        }
      });
    } catch (thrown) {
      return unreachable("queue", `The queue (${config.queue}) can not be used`, thrown);
    }
  },
};

function depthFindings(adapter: string, depths: readonly { name: string; waiting: number; dead: number }[]): Finding[] {
  const dead = depths.filter((each) => each.dead > 0);
  if (dead.length === 0)
    return [{ check: "queue", state: "ok", says: `The queue (${adapter}) answers, and nothing in it is dead.` }];
  return dead.map(({ name, dead: count }) => ({
    check: "queue",
    state: "warning",
    says: `${count} messages of ${name} are dead: they failed each time.`,
    fix: "See docs/operations/queues.md for what they are and how they are tried again.",
  }));
}

export const ephemeral: Check = {
  name: "presence",
  async look({ config, db, seams }) {
    const store = await openStore({ config, db: db.ephemeral, seams });
    try {
      await within(seams, 2 * limits.ephemeralAnswer_ms, store.upload("parley doctor"));
      return [{ check: "presence", state: "ok", says: `The store of presence and typing (${store.name}) answers.` }];
    } catch (thrown) {
      return unreachable("presence", `The store of presence and typing (${store.name}) can not be used`, thrown);
    } finally {
      await store.close().catch(() => {});
    }
  },
};

export const files: Check = {
  name: "files",
  async look({ config, dataDir, seams }) {
    const { storage, roles } = config;
    // Elsewhere the folder need not be there: in a pod it is on a disk that nobody may write to.
    if (storage.provider === "filesystem" && !roles.includes("media")) return [filesElsewhere(config)];
    try {
      const blobs = await openBlobs({ storage, dataDir, seams, logger: silent });
      try {
        await within(seams, 2 * limits.databaseAnswer_ms, blobs.probe());
      } finally {
        await blobs.close();
      }
      return [
        { check: "files", state: "ok", says: `The store of files (${storage.provider}) takes, gives and removes one.` },
      ];
    } catch (thrown) {
      return unreachable("files", `The store of files (${storage.provider}) can not be used`, thrown);
    }
  },
};

/** Only the role web wants others' files: it puts them into archives of a person's data (media/for-export.ts). */
function filesElsewhere({ roles, upstreams }: Config): Finding {
  const says = "Files are where the role media is, which is not here";
  if (!roles.includes("web") || upstreams.media) return { check: "files", state: "ok", says: `${says}.` };
  return {
    check: "files",
    state: "warning",
    says: `${says}, and nothing says where it is: the archive of somebody who has uploaded files is refused.`,
    fix: "Set MEDIA_URL for the processes with the role web, or give them the role media or the settings of the object store.",
  };
}

function unreachable(check: string, what: string, thrown: unknown): Finding[] {
  const fix = "Check that it runs, that this machine may reach it, and its address and password in the settings.";
  return [{ check, state: "failure", says: `${what}: ${asError(thrown).message}`, fix }];
}
