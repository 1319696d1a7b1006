/** Writes what the chart takes its rules and dashboards from. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { monitoringFiles } from "./files.ts";

for (const [path, text] of monitoringFiles) {
  const file = new URL(`../../../${path}`, import.meta.url);
  mkdirSync(dirname(file.pathname), { recursive: true });
  writeFileSync(file, text);
}
