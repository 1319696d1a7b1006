/** The files that the chart takes its rules and dashboards from, with the text that they should have. */
import { stringify } from "yaml";
import { dashboard } from "./dashboard.ts";
import { ruleGroups } from "./rules.ts";

const folder = "deploy/helm/parley/files/monitoring";
const origin = "Written by `node deploy/src/monitoring/write.ts`.";

export const monitoringFiles: ReadonlyMap<string, string> = new Map([
  [`${folder}/rules/parley.yaml`, `# ${origin}\n${stringify({ groups: ruleGroups }, { lineWidth: 0 })}`],
  [`${folder}/dashboards/parley.json`, `${JSON.stringify(dashboard(), null, 2)}\n`],
]);
