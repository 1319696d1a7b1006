/** What the processes that run tell of themselves. */
import { listAlive, type ProcessRow } from "../../bus/processes.ts";
import { limits } from "../../limits.ts";
import { fingerprints, sharedSettings } from "../../shared-settings.ts";
import { settings } from "../../settings/table.ts";
import { type Check, counted, type Finding, orWell, type Patient } from "./finding.ts";

export type { ProcessRow };

export function processesOf({ owner }: Pick<Patient, "owner">): Promise<ProcessRow[]> {
  return listAlive({ query: async (sql, params = []) => (await owner.query(sql, params as unknown[])).rows });
}

export const lag: Check = {
  name: "log lag",
  async look(patient) {
    const processes = await processesOf(patient);
    const { rows } = await patient.owner.query<{ now: Date }>("select now()");
    const now_ms = rows[0]?.now.getTime() ?? 0;
    const found = processes.flatMap((each) => [lagOf(each), silenceOf(each, now_ms)]);
    const versions = [...new Set(processes.map(({ version }) => version))];
    return orWell(
      "log lag",
      found,
      `${counted(processes.length, "process", "processes")} running, of version ${versions.join(" and ") || "none"}; none lags behind the log.`,
    );
  },
};

function lagOf({ number, host, behind_entries }: ProcessRow): Finding | undefined {
  if (behind_entries === null || behind_entries <= limits.readyLag_entries) return undefined;
  return {
    check: "log lag",
    state: "failure",
    says: `Process ${number} on ${host} was ${behind_entries} entries behind the log when it last showed itself.`,
    fix: "Look at its processor and at its way to the database; it takes no requests until it has caught up.",
  };
}

/** It holds its lock, so it is there; but its row has not moved. */
function silenceOf({ number, host, seenAt }: ProcessRow, now_ms: number): Finding | undefined {
  const silent_ms = now_ms - seenAt.getTime();
  if (silent_ms < 4 * limits.replicaBeat_ms) return undefined;
  return {
    check: "log lag",
    state: "failure",
    says: `Process ${number} on ${host} has not shown itself for ${Math.round(silent_ms / 1_000)} s, and its connection is open: it hangs.`,
    fix: "Restart it; before that, see its log.",
  };
}

export const secrets: Check = {
  name: "shared settings",
  async look(patient) {
    const { rows } = await patient.owner.query<{ salt: Buffer }>("select salt from log.installation");
    const own = rows[0] ? fingerprints(sharedSettings(patient.config), rows[0].salt) : {};
    const all = [
      { who: "this command", marks: own },
      ...(await processesOf(patient)).map(({ number, host, fingerprints: text }) => ({
        who: `process ${number} on ${host}`,
        marks: JSON.parse(text) as Record<string, string>,
      })),
    ];
    const names = [...new Set(all.flatMap(({ marks }) => Object.keys(marks)))];
    return orWell(
      "shared settings",
      names.map((name) => differing(name, all)),
      `${counted(all.length - 1, "process", "processes")} and this command have the same settings and secrets.`,
    );
  },
};

interface Marked {
  who: string;
  marks: Readonly<Record<string, string>>;
}

function differing(name: string, all: readonly Marked[]): Finding | undefined {
  const groups = new Map<string, string[]>();
  for (const { who, marks } of all) {
    const mark = marks[name];
    if (mark !== undefined) groups.set(mark, [...(groups.get(mark) ?? []), who]);
  }
  if (groups.size < 2) return undefined;
  // The name of a user may stand behind it.
  const [setting = ""] = name.split(" ");
  const isSecret = settings.find((each) => each.name === setting)?.secret ?? false;
  return {
    check: "shared settings",
    state: isSecret ? "failure" : "warning",
    says: `${name} is not the same everywhere: ${[...groups.values()].map((each) => each.join(" and ")).join(" | ")}.`,
    fix: `Set the same ${setting} for all, and restart those that have another one, but where it is in a file: there bring the file up to date. During a change of it this passes.`,
  };
}
