/**
 * What came out of a run of tests, and how a person is told.
 *
 * @typedef {{ where: string, name: string, text: string }} Failure
 * @typedef {{ where: string, name: string, reason: string }} Skip
 * @typedef {{ passed: number, failures: Failure[], skips: Skip[] }} Results
 */

/** @returns {Results} */
export function noResults() {
  return { passed: 0, failures: [], skips: [] };
}

/**
 * @param {readonly Results[]} all
 * @returns {Results}
 */
export function sum(all) {
  return {
    passed: all.reduce((total, each) => total + each.passed, 0),
    failures: all.flatMap((each) => each.failures),
    skips: all.flatMap((each) => each.skips),
  };
}

/**
 * The failures with all that is known about them, the skipped tests with their reasons, and the one line that sums up.
 *
 * @param {Results} results
 */
export function report({ passed, failures, skips }) {
  const failed = failures.flatMap(({ where, name, text }) => [`\n✖ ${where}: ${name}`, indent(text)]);
  const skipped = [...grouped(skips)].map(([key, names]) => `  ${key}: ${listed(names)}`);
  const parts = [
    `${passed} passed`,
    `${failures.length} failed`,
    ...(skips.length > 0 ? [`${skips.length} skipped`] : []),
  ];
  return [
    ...(failed.length > 0 ? ["\nFailed:", ...failed] : []),
    ...(skipped.length > 0 ? ["\nSkipped:", ...skipped] : []),
    "",
    parts.join(", "),
  ].join("\n");
}

/**
 * The names of skipped tests by file and reason.
 *
 * @param {readonly Skip[]} skips
 */
function grouped(skips) {
  /** @type {Map<string, string[]>} */
  const groups = new Map();
  for (const { where, name, reason } of skips) {
    const key = `${where} (${reason})`;
    groups.set(key, [...(groups.get(key) ?? []), name]);
  }
  return groups;
}

/** @param {readonly string[]} names */
function listed(names) {
  return names.length <= 5 ? names.join("; ") : `${names.length} tests, from "${names[0]}" to "${names.at(-1)}"`;
}

/** @param {string} text */
function indent(text) {
  return text.trimEnd().replace(/^(?=.)/gm, "    ");
}
