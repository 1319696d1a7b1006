/**
 * The description of the release as the chart reads it: deploy/helm/parley/files/release.json. A chart can not import
 * TypeScript, so the file is written by `node deploy/test/golden.ts --update`, and a test compares it.
 */
import { settings } from "../../server/src/settings/table.ts";
import {
  args,
  doors,
  edgePaths,
  fileSettings,
  images,
  localProviders,
  metrics,
  mounts,
  probes,
  servicePorts,
  serviceSettings,
  shapes,
  staticWeb,
  trustedProxies,
  user,
  waves,
  workloads,
} from "./release.ts";

export const chartDataPath = "deploy/helm/parley/files/release.json";

/** The text of the file. `schema` is how many migrations this release has. */
export function chartData(schema: number): string {
  const data = {
    comment: "Written by `node deploy/test/golden.ts --update` from deploy/src/release.ts.",
    schema,
    images,
    args,
    user,
    mounts,
    servicePorts,
    serviceSettings,
    fileSettings,
    localProviders,
    aliases: Object.fromEntries(settings.flatMap(({ name, alias }) => (alias === undefined ? [] : [[alias, name]]))),
    workloads,
    staticWeb,
    shapes,
    doors,
    edgePaths,
    probes,
    waves,
    metrics,
    trustedProxies,
  };
  return `${JSON.stringify(data, null, 2)}\n`;
}
