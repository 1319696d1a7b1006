/** Findings as a command tells them. */
import { type Outcome, table } from "../command.ts";
import { counted, type Finding } from "./finding.ts";

const SHOWN = { ok: "ok", warning: "warning", failure: "FAILURE" } as const;

/** Well where nothing fails and, where that is wanted, nothing is warned of. */
export function outcomeOf(findings: readonly Finding[], isStrict: boolean): Outcome {
  const failures = findings.filter(({ state }) => state === "failure").length;
  const warnings = findings.filter(({ state }) => state === "warning").length;
  const rows = findings.flatMap(({ check, state, says, fix }) => [
    [SHOWN[state], check, says],
    ...(fix === undefined || state === "ok" ? [] : [["", "", `→ ${fix}`]]),
  ]);
  const summary =
    failures + warnings === 0
      ? "Nothing is wrong."
      : `${counted(failures, "failure", "failures")}, ${counted(warnings, "warning", "warnings")}.`;
  return {
    ok: failures === 0 && (!isStrict || warnings === 0),
    data: { failures, warnings, findings },
    text: `${table(rows)}\n\n${summary}`,
  };
}
