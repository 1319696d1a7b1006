/** `parley preflight`: whether an install or an upgrade to this version would go well, before anything is changed. */
import { openDatabase } from "../db/database.ts";
import { type Call, type Command } from "./command.ts";
import { dataDirOf, withOwner } from "./database.ts";
import { disk } from "./doctor/disk.ts";
import { type Check, type Finding, lookAt } from "./doctor/finding.ts";
import { outcomeOf } from "./doctor/report.ts";
import { foundation, rights, transactions } from "./preflight/database.ts";
import { migrations } from "./preflight/migrations.ts";

const checks: readonly Check[] = [foundation, rights, transactions, migrations(), disk];

export const preflight: Command = {
  name: "preflight",
  summary: "Says whether an install or upgrade to this version would go well; changes nothing.",
  help: `Run it with the new version and the settings that it will have, before "parley release db". It looks at: version, encoding and settings
of PostgreSQL, the rights of its users, long transactions, extensions, the migrations that would run, whether the processes
that run now may go on beside them, the server name, and the disk. Ends with 1 where something is in the way.`,
  options: { strict: { kind: "flag", doc: "Warnings end it with 1 too." } },
  async run(call) {
    return outcomeOf(await examine(call), call.options["strict"] === true);
  },
};

function examine(call: Call): Promise<Finding[]> {
  const config = call.config();
  return withOwner(call, async (owner, url) => {
    const databaseUrl = config.databaseUrl ?? url;
    const db = openDatabase({ url: databaseUrl, connections: 1, onError: () => {}, seams: call.seams });
    const world = { config, databaseUrl, owner, db, seams: call.seams, dataDir: dataDirOf(config) };
    const patient = { ...world, isSlow: false, token: undefined };
    try {
      const findings: Finding[] = [];
      for (const check of checks) findings.push(...(await lookAt(check, patient)));
      return findings;
    } finally {
      await db.close();
    }
  });
}
