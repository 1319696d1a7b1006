/** `parley doctor`: looks at everything that an installation stands on, and names what is wrong with it, each with the fix. */
import { readFileSync } from "node:fs";
import type { Config } from "../config.ts";
import { connectOwner, openDatabase } from "../db/database.ts";
import { asError, StartError } from "../errors.ts";
import { type Call, type Command, UsageError } from "./command.ts";
import { dataDirOf, withOwner } from "./database.ts";
import { certificates } from "./doctor/certificates.ts";
import { clocks, connections, schema } from "./doctor/database.ts";
import { disk } from "./doctor/disk.ts";
import { durability, standby } from "./doctor/durability.ts";
import { type Check, type Finding, lookAt } from "./doctor/finding.ts";
import { mail } from "./doctor/mail.ts";
import { keys } from "./doctor/keys.ts";
import { bus, ephemeral, files, queue } from "./doctor/ports.ts";
import { lag, secrets } from "./doctor/processes.ts";
import { publicUrl } from "./doctor/public-url.ts";
import { outcomeOf } from "./doctor/report.ts";

const checks: readonly Check[] = [
  durability,
  standby,
  schema,
  clocks,
  connections,
  lag,
  secrets,
  bus,
  queue,
  ephemeral,
  files,
  disk,
  certificates,
  keys,
  mail,
  publicUrl,
];

/** Without the right schema these can not even be asked. */
const SCHEMALESS: readonly Check[] = [schema, standby, disk, certificates, publicUrl];

export const doctor: Command = {
  name: "doctor",
  summary: "Finds what is wrong with an installation, and says what to do about it.",
  help: `Looks, as the processes would, at: settings, durability, standby, schema, clocks, connections, log lag, shared settings, bus, queue,
presence, files, disk, certificates, keys, mail, public address. Each finding is a failure (it loses data or service, now or soon) or a
warning. Ends with 1 where there is a failure. It writes nothing but a probe into the store of files, which it removes. Run it with the
settings of the processes, where they run: in a cluster in one of the pods. See docs/operations/doctor.md.`,
  options: {
    slow: {
      kind: "flag",
      doc: "Also keeps a WebSocket idle and a sync waiting through the public address: up to three minutes.",
    },
    "token-file": {
      kind: "text",
      value: "file",
      doc: "An access token for that, of anybody. Without, only 9 s of idleness are looked at.",
    },
    accept: {
      kind: "text",
      value: "checks",
      doc: "Names of checks, with commas, whose failures are known: they count as warnings.",
    },
    strict: { kind: "flag", doc: "Warnings end it with 1 too." },
  },
  async run(call) {
    const config = configOf(call);
    const findings = "says" in config ? [config] : await examine(call, config);
    return outcomeOf(accepted(findings, call), call.options["strict"] === true);
  },
};

/** The settings, or what is wrong with them. */
function configOf(call: Call): Config | Finding {
  try {
    return call.config();
  } catch (thrown) {
    if (!(thrown instanceof StartError)) throw thrown;
    return { check: "settings", state: "failure", says: thrown.message, fix: "See docs/operations/settings.md." };
  }
}

/** What an examination needs of a command's call. */
export type Examination = Pick<Call, "seams" | "options" | "say" | "config">;

/** Looks at everything, and tells each finding as it is made. Gives all of them. */
export async function examine(
  call: Examination,
  config: Config,
  onFinding: (finding: Finding) => void = () => {},
): Promise<Finding[]> {
  const { seams, options } = call;
  const file = options["token-file"];
  const token = typeof file === "string" ? readToken(file) : undefined;
  const well: Finding = { check: "settings", state: "ok", says: "The settings are understood." };
  try {
    return await withOwner(call, async (owner, url) => {
      const databaseUrl = config.databaseUrl ?? url;
      const db = openDatabase({ url: databaseUrl, connections: 1, onError: () => {}, seams });
      const dataDir = dataDirOf(config);
      const patient = { config, databaseUrl, owner, db, seams, dataDir, isSlow: options["slow"] === true, token };
      try {
        const findings = [well];
        onFinding(well);
        const [first] = [...(await signIn(databaseUrl)), ...(await lookAt(schema, patient))];
        if (first?.check === "database") {
          findings.push(first);
          onFinding(first);
        }
        // One after the other: they use one connection, and their order is that of the report.
        for (const check of first?.state === "failure" ? SCHEMALESS : checks)
          for (const found of await lookAt(check, patient)) {
            findings.push(found);
            onFinding(found);
          }
        return findings;
      } finally {
        await db.close();
      }
    });
  } catch (thrown) {
    if (!(thrown instanceof StartError)) throw thrown;
    return [
      well,
      {
        check: "database",
        state: "failure",
        says: asError(thrown).message,
        fix: "Nothing else can be looked at before that.",
      },
    ];
  }
}

/** The owner may get in where the processes do not; what they would do can not be looked at then. */
async function signIn(databaseUrl: string): Promise<Finding[]> {
  try {
    await (await connectOwner(databaseUrl, "parley console")).end();
    return [];
  } catch (thrown) {
    const says = `The processes do not get in: ${asError(thrown).message}`;
    const fix = "Put the right user and password into DATABASE_URL; what is of the processes can be looked at then.";
    return [{ check: "database", state: "failure", says, fix }];
  }
}

function readToken(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (thrown) {
    throw new UsageError(`--token-file can not be read: ${asError(thrown).message}.`);
  }
}

function accepted(findings: readonly Finding[], { options }: Call): Finding[] {
  const names = typeof options["accept"] === "string" ? options["accept"].split(",").map((name) => name.trim()) : [];
  const unknown = names.find((name) => !checks.some((check) => check.name === name));
  if (unknown !== undefined)
    throw new UsageError(`--accept ${unknown}: the checks are ${checks.map(({ name }) => name).join(", ")}.`);
  return findings.map((each) =>
    each.state === "failure" && names.includes(each.check) ? { ...each, state: "warning" } : each,
  );
}
