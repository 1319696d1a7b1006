/** `parley backup <folder>`. */
import { resolve } from "node:path";
import { takeBackup } from "../backup/take.ts";
import { withBlobsIf } from "./blobs.ts";
import type { Command } from "./command.ts";
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
  },
  run: (call) =>
    withOwnerUrl(call, async (url) => {
      const folder = resolve(call.arguments[0] as string);
      const { log, tables, blobs, taken_at } = await withBlobsIf(call.options["files"] === true, call, (from) =>
        takeBackup({ url, folder, blobs: from, seams: call.seams, say: call.say }),
      );
      return {
        ok: true,
        data: { folder, taken_at, log, tables: tables.length, files: blobs },
        text: `The backup is in ${folder}.`,
      };
    }),
};
