/** `parley restore <folder>`, `parley restore verify [<folder>]` and `parley restore epoch`. */
import { drill } from "../backup/drill.ts";
import { readManifest } from "../backup/manifest.ts";
import { isJustRecovered, raiseEpoch, restore } from "../backup/restore.ts";
import { record, type Recorded } from "../backup/record.ts";
import { type Verified, verify } from "../backup/verify.ts";
import { userIn } from "../db/hosts.ts";
import { folderOf, newest } from "./backup-store.ts";
import { withBlobsIf } from "./blobs.ts";
import { type Call, type Command, table } from "./command.ts";
import { withOwner, withOwnerUrl } from "./database.ts";

export const restoreCommand: Command = {
  name: "restore",
  summary: "Fills an empty database from a backup; clients notice, and start over.",
  help: `The database of DATABASE_OWNER_URL or DATABASE_URL must be new; no Parley may run on it. The schema is made as the backup has it,
filled in one transaction, and brought to that of this version. The history epoch is raised: every client's token of before is
refused, and its client syncs from the beginning. Then run "parley restore verify".`,
  arguments: [{ name: "folder", doc: "What parley backup wrote", isRequired: true }],
  options: {
    "no-files": { kind: "flag", doc: "Leaves the uploaded files out, also where the backup has them." },
    newest,
  },
  run: (call) =>
    withOwnerUrl(call, async (url) => {
      const folder = await folderOf(call);
      const { databaseUrl, databaseOwnerUrl } = call.config();
      const servingUser = databaseOwnerUrl && databaseUrl ? userIn(databaseUrl) : undefined;
      const done = await withBlobsIf(!call.options["no-files"], call, (blobs) =>
        restore({ url, folder, blobs, servingUser, seams: call.seams, say: call.say }),
      );
      return {
        ok: true,
        data: { folder, log: done.manifest.log, epoch: done.epoch, files: done.blobs },
        text: `Restored the database of ${done.manifest.taken_at}. Run "parley restore verify ${folder}" before you start Parley.`,
      };
    }),
};

export const restoreVerify: Command = {
  name: "restore verify",
  summary: "Checks a restored database: log, projections, files, epoch.",
  help: `Run it on a restored database before Parley is started on it. With the backup's folder it compares the log with the backup's,
and looks whether the history epoch was raised; without, as after a recovery of PostgreSQL itself, it checks that the tables
which are computed from the log equal it, and that every file is in the store with the right bytes.
It changes nothing, but for a note for the console that it was run.`,
  arguments: [{ name: "folder", doc: "What parley backup wrote", isRequired: false }],
  options: { "no-files": { kind: "flag", doc: "Does not read the uploaded files." }, newest },
  run: (call) =>
    withOwner(call, async (client) => {
      const manifest = call.arguments[0] === undefined ? undefined : await readManifest(await folderOf(call));
      const checks = await withBlobsIf(!call.options["no-files"], call, (blobs) => verify({ client, manifest, blobs }));
      const rows = checks.map(({ check, ok, says }) => [ok ? "ok" : "WRONG", check, says]);
      await record(client, tried("restore_verify", call, checks), call.say);
      return { ok: checks.every(({ ok }) => ok), data: { checks }, text: table(rows) };
    }),
};

export const restoreDrill: Command = {
  name: "restore drill",
  summary: "Tries a restore beside what runs: a database of its own, the checks, and gone again.",
  help: `On the same PostgreSQL a new database is made, filled from the backup, checked as "parley restore verify" does, and removed. What runs
is not touched; there must be room for the database once more. Uploaded files are read where the backup has them. The user of
DATABASE_OWNER_URL must be allowed to create databases. Do it once a month: a backup that was never restored is a hope.`,
  arguments: [{ name: "folder", doc: "What parley backup wrote", isRequired: true }],
  options: { newest },
  run: (call) =>
    withOwner(call, async (client, url) => {
      const folder = await folderOf(call);
      const { manifest, checks } = await drill({ url, folder, seams: call.seams, say: call.say });
      const rows = checks.map(({ check, ok, says }) => [ok ? "ok" : "WRONG", check, says]);
      await record(client, tried("restore_drill", call, checks), call.say);
      const text = `The backup of ${manifest.taken_at}, restored and gone again:\n${table(rows)}`;
      return { ok: checks.every(({ ok }) => ok), data: { folder, taken_at: manifest.taken_at, checks }, text };
    }),
};

/** What the console tells of it: when, and which checks went well. */
function tried(kind: Recorded["kind"], { seams }: Call, checks: readonly Verified[]): Recorded {
  const ok = checks.every((each) => each.ok);
  return { kind, started_ms: seams.now_ms(), ok, detail: { checks } };
}

export const restoreEpoch: Command = {
  name: "restore epoch",
  summary: "Raises the history epoch of a database that was restored by other means.",
  help: `After a restore by PostgreSQL's own means (pg_restore, a copy of the data directory), and before Parley is started:
clients that were ahead of the backup notice by it, and start over. "parley restore" does it by itself.`,
  options: {
    once: {
      kind: "flag",
      doc: "Only where nobody has written since PostgreSQL was recovered; run again, it does nothing.",
    },
  },
  run: (call: Call) =>
    withOwner(call, async (client) => {
      if (call.options["once"] === true && !(await isJustRecovered(client)))
        return {
          ok: true,
          data: {},
          text: "Nothing to do: somebody has written since PostgreSQL was recovered, or it never was.",
        };
      const epoch = await raiseEpoch(client, call.seams);
      return { ok: true, data: { epoch }, text: `The history epoch is ${epoch} from here on.` };
    }),
};
