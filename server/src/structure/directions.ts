/** Rules about who may import whom. The picture is in ARCHITECTURE.md. */
import { type Import, importsOf } from "./imports.ts";
import { isTest, type Tree } from "./tree.ts";

/** Folders of server/src that the domains stand on; they know of no domain. */
const ground = ["db", "log", "bus", "queue", "blobs", "sessions", "secrets", "ephemeral", "cloud", "settings"];

/** Packages that have one place in the server. */
const places: Readonly<Record<string, string>> = {
  fastify: "server/src/http.ts",
  pg: "server/src/db/",
  ws: "server/src/gateway/",
};

function problems(tree: Tree, check: (each: Import) => string | false | undefined): string[] {
  return importsOf(tree).flatMap((each) => check(each) || []);
}

/** In the server, the HTTP framework, the database driver and the WebSocket library are each imported in one place only. */
export function misplacedPackages(tree: Tree): string[] {
  return problems(tree, ({ from, packageName }) => {
    if (!from.startsWith("server/src/") || packageName === undefined) return;
    const [name, place] =
      Object.entries(places).find(([each]) => packageName === each || packageName.startsWith(`@${each}/`)) ?? [];
    return place !== undefined && !from.startsWith(place) && `${from} imports ${name}, which only ${place} may`;
  });
}

/** The server never imports a client or anything that decrypts, not even in its tests. */
export function clientCodeInServer(tree: Tree): string[] {
  const forbidden = /^(matrix-js-sdk|@matrix-org\/matrix-sdk-crypto.*|@matrix-org\/olm|react|react-dom)$/;
  return problems(
    tree,
    ({ from, packageName }) =>
      from.startsWith("server/") &&
      forbidden.test(packageName ?? "") &&
      `${from} imports ${packageName}, which is a client's`,
  );
}

/** Which of the repository's parts a part may import, besides itself. Tests of the server may use the testkit. */
const allowedParts: Readonly<Record<string, readonly string[]>> = {
  server: [],
  web: [],
  // Its components and tokens; the two are bundles of their own.
  operator: ["web"],
  testkit: ["server"],
  e2e: ["testkit"],
  // Some of what it measures is inside of a server: the log without HTTP, several processes on one database.
  bench: ["testkit", "scripts", "server"],
  faults: ["testkit"],
  // Of the server only what describes it: see foreignToDeploy.
  deploy: ["testkit", "scripts", "server"],
  scripts: [],
};

/** The parts of the repository depend on each other in one direction only. */
export function wrongDirections(tree: Tree): string[] {
  return problems(tree, ({ from, file }) => {
    const [source, target] = [from.split("/")[0] ?? "", file?.split("/")[0] ?? ""];
    if (!(source in allowedParts) || !(target in allowedParts) || source === target) return;
    if (allowedParts[source]?.includes(target)) return;
    if (source === "server" && target === "testkit" && isTest(from)) return;
    // What the people of a scenario see is what the messenger makes of it.
    if (from.startsWith("testkit/scenarios/") && file?.startsWith("web/src/models/")) return;
    return `${from} imports ${file}: ${source} may not depend on ${target}`;
  });
}

/** What deploy/ may know of the server: the files that describe it as data. Its tests may run what they like. */
const described = [
  "server/src/roles.ts",
  "server/src/config.ts",
  "server/src/settings/table.ts",
  "server/src/db/roles.ts",
];

/** The description of a release rests on the tables of the server, and on nothing else of it. */
export function foreignToDeploy(tree: Tree): string[] {
  return problems(
    tree,
    ({ from, file }) =>
      from.startsWith("deploy/src/") &&
      file?.startsWith("server/") &&
      !isTest(from) &&
      !described.includes(file) &&
      `${from} imports ${file}: deploy/src may only know ${described.join(" and ")}`,
  );
}

/** What the domains stand on imports none of them. */
export function groundOnDomains(tree: Tree): string[] {
  return problems(tree, ({ from, file }) => {
    const [source, target] = [folderOf(from), folderOf(file)];
    if (source === undefined || target === undefined || !ground.includes(source) || ground.includes(target)) return;
    return !isTest(from) && `${from} imports ${file}: ${source} may not know of ${target}`;
  });
}

/** A domain's routes are mounted by the process and imported by nobody else. */
export function foreignRoutes(tree: Tree): string[] {
  return problems(tree, ({ from, file }) => {
    if (!file?.endsWith("/routes.ts") || !file.startsWith("server/src/")) return;
    const [source, target] = [folderOf(from), folderOf(file)];
    return (
      source !== undefined && source !== target && `${from} imports ${file}: one domain's routes are not for another`
    );
  });
}

/** The folder of server/src that a file is in; undefined for the files beside the folders, and for all others. */
function folderOf(path: string | undefined): string | undefined {
  return /^server\/src\/([^/]+)\//.exec(path ?? "")?.[1];
}
