// `parley doctor` on an installation in which something is wrong.

import assert from "node:assert/strict";
import { doctor } from "../../server/src/cli/doctor.ts";
import type { Finding } from "../../server/src/cli/doctor/finding.ts";
import type { Seams } from "../../server/src/seams.ts";
import { parley } from "./command.ts";

export type Examined = {
  code: number;
  findings: readonly Finding[];
  /** Those that are not ok. */
  bad: readonly Finding[];
  /** Why nothing was looked at. */
  error?: string | undefined;
};

/** Runs it with these settings. Each trouble that it finds has to come with its fix. */
export async function examine(
  env: Readonly<Record<string, string>>,
  options: readonly string[] = [],
  seams?: Seams,
): Promise<Examined> {
  const { code, json } = await parley(["doctor", "--json", ...options], { env, seams, commands: [doctor] });
  const { findings = [], error } = json() as { findings?: Finding[]; error?: string };
  const bad = findings.filter(({ state }) => state !== "ok");
  for (const each of bad)
    assert.ok(each.check === "settings" || each.fix !== undefined || /can not be looked at/.test(each.says), each.says);
  return { code, findings, bad, error };
}

/** The one finding that is expected, and nothing else. */
export function expectOnly(expected: { check: string; state: string; says: RegExp }, { code, bad }: Examined): void {
  assert.deepEqual(
    bad.map(({ check, state }) => [check, state]),
    [[expected.check, expected.state]],
    JSON.stringify(bad, null, 1),
  );
  assert.match(bad[0]?.says ?? "", expected.says);
  assert.equal(code, expected.state === "failure" ? 1 : 0);
}
