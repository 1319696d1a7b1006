/** `parley backup <folder>`. */
import { resolve } from "node:path";
import { datedFolder, keepNewest } from "../backup/dated.ts";
import { record } from "../backup/record.ts";
import { takeBackup } from "../backup/take.ts";
import { connectOwner } from "../db/database.ts";
import { withBlobsIf } from "./blobs.ts";
import { type Call, type Command, UsageError } from "./command.ts";
import { withOwnerUrl } from "./database.ts";

export const backup: Command = {
  name: "backup",
  summary: "Writes the database of this moment, and the files if asked to, into a new folder.",
  help: `Everything goes on meanwhile. All tables are read in one snapshot; the folder has a file for each, a list of the uploaded files
with their SHA-256, and a manifest, which is written last: without it the folder is no backup. It needs no program of PostgreSQL
and suits each of its versions. The backup is not encrypted, and has in it what the database has: password hashes, encrypted
messages, keys of the installation. Where PostgreSQL keeps base backups and WAL (CloudNativePG), those are the better way.
See docs/operations/backup.md.`,
  arguments: [{ name: "folder", doc: "Where to; it must be missing or empty", isRequired: true }],
  options: {
    files: {
      kind: "flag",
      doc: "Copies the uploaded files too. Without, they are listed only: back up their store beside.",
    },
    dated: { kind: "flag", doc: "Into a folder of its own below the one that is named, with the moment as its name." },
    keep: {
      kind: "text",
      value: "number",
      doc: "With --dated: removes older backups than the newest so many, when this one is whole.",
    },
  },
  async run(call) {
    const [keep, named] = [keepOf(call), resolve(call.arguments[0] as string)];
    const started_ms = call.seams.now_ms();
    return withOwnerUrl(call, async (url) => {
      const folder = call.options["dated"] === true ? datedFolder(named, call.seams.now_ms()) : named;
      const { log, tables, blobs, taken_at } = await withBlobsIf(call.options["files"] === true, call, (from) =>
        takeBackup({ url, folder, blobs: from, seams: call.seams, say: call.say }),
      );
      const removed = keep === undefined ? [] : await keepNewest(named, keep);
      if (removed.length > 0) call.say(`removed: ${removed.join(", ")}`);
      await note(url, call, { started_ms, detail: { folder, log, tables: tables.length, files: blobs } });
      return {
        ok: true,
        data: { folder, taken_at, log, tables: tables.length, files: blobs, removed },
        text: `The backup is in ${folder}.`,
      };
    });
  },
};

function keepOf({ options }: Call): number | undefined {
  const { keep, dated } = options;
  if (keep === undefined) return undefined;
  if (!/^[1-9]\d{0,3}$/.test(String(keep)) || dated !== true)
    throw new UsageError("--keep takes a number from 1 on, and goes with --dated.");
  return Number(keep);
}

/** For the console, which tells when the last backup was taken. */
async function note(url: string, { say }: Call, { started_ms, detail }: { started_ms: number; detail: object }) {
  const client = await connectOwner(url, "parley console");
  try {
    await record(client, { kind: "backup", started_ms, ok: true, detail }, say);
  } finally {
    await client.end();
  }
}
