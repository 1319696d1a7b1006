/**
 * Keeps the structure of the repository. Each rule is tried on the checkout, where it must find nothing, and on a small tree with a
 * planted violation, which it must find. The length of functions, the number of parameters, cycles and barrels are
 * kept by the linter (.oxlintrc.json).
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { settings } from "./settings/table.ts";
import { undeclaredPackages, unusedPackages } from "./structure/dependencies.ts";
import {
  clientCodeInServer,
  foreignRoutes,
  foreignToDeploy,
  groundOnDomains,
  misplacedPackages,
  wrongDirections,
} from "./structure/directions.ts";
import {
  decisionsInList,
  environmentReads,
  lonelyTests,
  longFiles,
  machineTraces,
  seamsPassedBy,
  settingsInDocs,
  unfinishedWork,
} from "./structure/texts.ts";
import { readTree, type Tree } from "./structure/tree.ts";

interface Case {
  rule: string;
  check: (tree: Tree) => string[];
  /** Files that break the rule, each in one way. */
  planted: Readonly<Record<string, string>>;
  /** Files that look like it and are right. */
  harmless?: Readonly<Record<string, string>>;
}

/** Without this file, which is full of violations. */
const repository = new Map(
  [...readTree(join(import.meta.dirname, "..", ".."))].filter(([path]) => path !== "server/src/structure.test.ts"),
);
const root = JSON.stringify({ workspaces: ["server"] });

const cases: readonly Case[] = [
  {
    rule: "only http.ts imports the HTTP framework, only db/ the driver, only gateway/ the WebSocket library",
    check: misplacedPackages,
    planted: {
      "server/src/rooms/send.ts": `import type { FastifyRequest } from "fastify";`,
      "server/src/log/append.ts": `import {\n  Client,\n} from "pg";`,
      "server/src/sync/socket.ts": `const { WebSocketServer } = await import("ws");`,
      "server/src/web/files.ts": `import files from "@fastify/static";`,
    },
    harmless: {
      "server/src/http.ts": `import Fastify from "fastify";`,
      "server/src/db/database.ts": `import pg from "pg";`,
    },
  },
  {
    rule: "the server imports no client and nothing that decrypts",
    check: clientCodeInServer,
    planted: {
      "server/src/keys/claim.ts": `import { createClient } from "matrix-js-sdk";`,
      "server/src/keys/claim.test.ts": `import * as wasm from "@matrix-org/matrix-sdk-crypto-wasm";`,
    },
  },
  {
    rule: "the parts of the repository depend on each other in one direction",
    check: wrongDirections,
    planted: {
      "web/src/models/a.ts": `import { limits } from "../../../server/src/limits.ts";`,
      "server/src/rooms/a.ts": `import { text } from "../../../web/src/text.ts";`,
      "server/src/rooms/b.ts": `import { start } from "../../../testkit/src/server.ts";`,
      "e2e/story.test.ts": `import { startServer } from "../server/src/server.ts";`,
      "faults/src/main.ts": `export { startServer } from "../../server/src/server.ts";`,
      "testkit/src/a.ts": `import { trustOf } from "../../web/src/models/client/trust.ts";`,
      "testkit/scenarios/a.test.ts": `import { Tag } from "../../web/src/ui/Tag.tsx";`,
    },
    harmless: {
      "server/src/rooms/a.test.ts": `import { start } from "../../../testkit/src/server.ts";`,
      "testkit/src/server.ts": `import { startServer } from "../../server/src/server.ts";`,
      "testkit/scenarios/b.test.ts": `import { trustOf } from "../../web/src/models/client/trust.ts";`,
    },
  },
  {
    rule: "the description of a release knows the server by its tables alone",
    check: foreignToDeploy,
    planted: { "deploy/src/release.ts": `import { migrate } from "../../server/src/db/migrate.ts";` },
    harmless: {
      "deploy/src/a.ts": `import { roles } from "../../server/src/roles.ts";`,
      "deploy/test/b.test.ts": `import { migrate } from "../../server/src/db/migrate.ts";`,
    },
  },
  {
    rule: "what the domains stand on knows no domain",
    check: groundOnDomains,
    planted: {
      "server/src/log/append.ts": `import { check } from "../rooms/rules.ts";`,
      "server/src/db/migrate.ts": `import { users } from "../auth/queries.ts";`,
    },
    harmless: { "server/src/log/tail.ts": `import { database } from "../db/database.ts";` },
  },
  {
    rule: "no domain imports another's routes",
    check: foreignRoutes,
    planted: { "server/src/sync/sync.ts": `import { routes } from "../rooms/routes.ts";` },
    harmless: {
      "server/src/roles.ts": `const rooms = () => import("./rooms/routes.ts");`,
      "server/src/sync/state.ts": `import { stateAt } from "../rooms/queries.ts";`,
    },
  },
  {
    rule: "every package that is imported is declared in the workspace's package.json",
    check: undeclaredPackages,
    planted: {
      "server/src/a.ts": `import { z } from "zod/mini";`,
      "server/src/b.ts": `const at = import.meta.resolve("@scope/name");`,
      "scripts/c.mjs": `import pg from "pg";`,
    },
    harmless: {
      "package.json": root,
      "server/package.json": `{ "dependencies": { "pg": "1" } }`,
      "server/src/d.ts": `import pg from "pg";\nimport { join } from "node:path";\n// import from "nowhere"`,
    },
  },
  {
    rule: "every package that is declared is used",
    check: unusedPackages,
    planted: {
      "server/package.json": `{ "dependencies": { "pg": "1", "left-pad": "1" }, "devDependencies": { "@types/pg": "1" } }`,
    },
    harmless: { "package.json": root, "server/src/a.ts": `import pg from "pg";` },
  },
  {
    rule: "no file is longer than 400 lines",
    check: longFiles,
    planted: { "server/src/a.ts": "x;\n".repeat(401), "web/src/a.css": "a {}\n".repeat(401) },
    harmless: {
      "server/src/b.ts": "x;\n".repeat(400),
      "server/src/b.test.ts": "x;\n".repeat(500),
      "testkit/src/generated/spec.ts": "x;\n".repeat(500),
    },
  },
  {
    rule: "in the server only config.ts reads the environment",
    check: environmentReads,
    planted: { "server/src/rooms/a.ts": `const debug = process.env["DEBUG"];` },
    harmless: { "server/src/config.ts": `const env = process.env;`, "server/src/b.ts": `// not process.env` },
  },
  {
    rule: "in the server time, chance and timers come from the seams",
    check: seamsPassedBy,
    planted: {
      "server/src/rooms/a.ts": `const now = Date.now();`,
      "server/src/rooms/b.ts": `const now = new Date().toISOString();`,
      "server/src/rooms/c.ts": `const luck = Math.random();`,
      "server/src/rooms/d.ts": `const timer = setTimeout(action, 5);`,
      "server/src/rooms/e.ts": `return randomBytes(16);`,
      "server/src/rooms/f.ts": `return crypto.randomUUID();`,
      "server/src/rooms/g.ts": `import { setTimeout as wait } from "node:timers/promises";`,
    },
    harmless: {
      "server/src/seams.ts": `now_ms: () => Date.now(),`,
      "server/src/db/embedded/lock.ts": `import { setTimeout as wait } from "node:timers/promises";`,
      "server/src/rooms/h.ts": `/**\n * Never Date.now() here.\n */\nctx.seams.randomBytes(16); // not Math.random()`,
      "server/src/rooms/i.test.ts": `const started = Date.now();`,
      "server/src/rooms/page.js": `setTimeout(look, 3_000);`,
    },
  },
  {
    rule: "no work is marked as to be done",
    check: unfinishedWork,
    planted: { "server/src/a.ts": `// ${["TO", "DO"].join("")}: the rest`, "docs/a.md": ["FIX", "ME"].join("") },
  },
  {
    rule: "no test is set to run alone",
    check: lonelyTests,
    planted: { "server/src/a.test.ts": ["test", `only("a", () => {});`].join(".") },
  },
  {
    rule: "nothing names the machine it was written on or the registry it was installed from",
    check: machineTraces,
    planted: {
      "docs/a.md": ["see ", "work", "main", "README.md"].join("/"),
      "package-lock.json": JSON.stringify({ resolved: "https://example.org/a.tgz" }, null, 1),
      ".npmrc": ["registry", "https://example.org"].join("="),
    },
    harmless: { "docs/b.md": `${["https:", "", "example.org", "work", "place"].join("/")} is no path of a machine` },
  },
  {
    rule: "every decision stands in docs/README.md",
    check: decisionsInList,
    planted: { "docs/decisions/0001-a.md": "# 0001: A" },
    harmless: { "docs/decisions/0002-b.md": "# 0002: B", "docs/README.md": "[0002](decisions/0002-b.md)" },
  },
  {
    rule: "every setting stands in docs/operations/settings.md, and no other",
    check: (tree) => settingsInDocs(tree, tree === repository ? settings.map(({ name }) => name) : ["PARLEY_PORT"]),
    planted: { "docs/operations/settings.md": "`PARLEY_PORT`, `PARLEY_POT`" },
    harmless: { "docs/operations/settings.md": "`PARLEY_PORT` is the port" },
  },
];

for (const { rule, check, planted, harmless = {} } of cases) {
  test(rule, () => {
    assert.deepEqual(check(repository), []);
  });

  test(`a violation is found: ${rule}`, () => {
    for (const [path, text] of Object.entries(planted)) {
      const found = check(new Map(Object.entries({ ...harmless, [path]: text })));
      assert.notDeepEqual(found, [], path);
    }
    assert.deepEqual(check(new Map(Object.entries(harmless))), [], "what is right is let through");
  });
}
