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
  const skipped = skips.map(({ where, name, reason }) => `  ${where}: ${name} (${reason})`);
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

/** @param {string} text */
function indent(text) {
  return text.trimEnd().replace(/^(?=.)/gm, "    ");
}
