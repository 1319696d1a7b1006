/** All kinds of jobs, loaded when the first of a kind is worked on. */
import type { JobKind } from "./job.ts";

const kinds: Readonly<Record<string, () => Promise<JobKind>>> = {
  "room.purge": async () => (await import("../rooms/purge-job.ts")).purgeStep,
  "room.shutdown": async () => (await import("../rooms/shutdown-job.ts")).shutdownStep,
  "media.delete": async () => (await import("../media/delete-job.ts")).deleteMediaStep,
  "person.export": async () => (await import("../person/export-job.ts")).exportStep,
  "person.erase": async () => (await import("../person/erase-job.ts")).eraseStep,
  "person.transfer": async () => (await import("../rooms/transfer-job.ts")).transferStep,
  "legal.export": async () => (await import("../legal/export-job.ts")).legalExportStep,
  "import.people": async () => (await import("../imports/people-job.ts")).importPeopleStep,
  "import.channels": async () => (await import("../imports/channels-job.ts")).importChannelsStep,
  "retention.run": async () => (await import("../retention/run-job.ts")).retentionStep,
};

/** What this version can work on. Others are of a newer one, whose workers take them. */
export const knownKinds: readonly string[] = Object.keys(kinds);

/** The step of a kind. Throws where this version does not know it. */
export async function stepOf(kind: string): Promise<JobKind> {
  const load = kinds[kind];
  if (!load) throw new Error(`this version knows no jobs of the kind ${kind}`);
  return load();
}
