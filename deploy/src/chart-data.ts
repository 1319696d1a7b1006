/**
 * The description of the release as the chart reads it: deploy/helm/parley/files/release.json. A chart can not import
 * TypeScript, so the file is written by `node deploy/test/golden.ts --update`, and a test compares it.
 */
import { edgePaths } from "./edge.ts";
import { schemasOf } from "../../server/src/db/roles.ts";
import { settings } from "../../server/src/settings/table.ts";
import {
  args,
  consoleSettings,
  doors,
  fileSettings,
  images,
  keepersOf,
  localProviders,
  metrics,
  mounts,
  ownConnections,
  probes,
  servicePorts,
  serviceSettings,
  shapes,
  staticWeb,
  trustedProxies,
  uploadsOfWeb,
  user,
  waves,
  workloads,
} from "./release.ts";

export const chartDataPath = "deploy/helm/parley/files/release.json";

/** What says where the database is: DATABASE_URL under each of its names, or its parts. */
function databaseSettings(): string[] {
  const itself = settings.filter(({ name }) => name === "DATABASE_URL");
  const parts = settings.map(({ name }) => name).filter((name) => name.startsWith("DB_"));
  return [...itself.flatMap(({ name, aliases = [] }) => [name, ...aliases]), ...parts];
}

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
    databaseSettings: databaseSettings(),
    fileSettings,
    localProviders,
    aliases: Object.fromEntries(settings.flatMap(({ name, aliases = [] }) => aliases.map((alias) => [alias, name]))),
    // `pools`: how many domains a process of the workload connects to the database for; `keeperPools` where it has web or worker too.
    workloads: Object.fromEntries(
      Object.values(workloads).map((each) => [
        each.name,
        {
          ...each,
          pools: schemasOf(each.roles).length,
          keeperPools: schemasOf([...each.roles, "web", "worker"]).length,
        },
      ]),
    ),
    keepersOf,
    uploadsOfWeb,
    consoleSettings,
    connections: {
      own: ownConnections,
      byDefault: Number(settings.find(({ name }) => name === "PARLEY_DATABASE_CONNECTIONS")?.default),
    },
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
