/**
 * The description of the release as the chart reads it: deploy/helm/parley/files/release.json. A chart can not import
 * TypeScript, so the file is written by `node deploy/test/golden.ts --update`, and a test compares it.
 */
import {
  edgePaths,
  images,
  metrics,
  mounts,
  probes,
  servicePorts,
  shapes,
  trustedProxies,
  user,
  waves,
  workloads,
} from "./release.ts";
import { args, doors, fileSettings, localProviders, serviceSettings, staticWeb } from "./release.ts";

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
