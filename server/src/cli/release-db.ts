/** `parley release db`: the one step of a release that changes the database. */
import { connectOwner } from "../db/database.ts";
import { userIn } from "../db/hosts.ts";
import { migrate } from "../db/migrate.ts";
import type { Command } from "./command.ts";
import { withOwnerUrl } from "./database.ts";

export const releaseDb: Command = {
  name: "release db",
  summary: "Brings the database to the schema of this version: roles, migrations, rights.",
  help: `Runs as the user of DATABASE_OWNER_URL, or of DATABASE_URL where that is not set, under an advisory lock: a second one waits,
and finds nothing left to do. Processes of the version before go on serving meanwhile. It makes the database roles that
are missing, runs the migrations that are missing, each in a transaction of its own, and lets the user of DATABASE_URL serve.
Where a migration fails, it has changed nothing, those before it stay, and it may be run again. See docs/operations/upgrading.md.`,
  run: (call) =>
    withOwnerUrl(call, async (url) => {
      // Before anything is changed: whether somebody is there, and lets us in.
      await (await connectOwner(url)).end();
      const { databaseUrl, databaseOwnerUrl } = call.config();
      const servingUser = databaseOwnerUrl && databaseUrl ? userIn(databaseUrl) : undefined;
      const ran = await migrate(url, { onProgress: call.say, servingUser });
      const migrated = ran.map(({ schema, name }) => `${schema}/${name}`);
      const what = migrated.length === 0 ? "had every migration already" : `got ${migrated.length} migrations`;
      return { ok: true, data: { migrated }, text: `The database ${what}.` };
    }),
};
