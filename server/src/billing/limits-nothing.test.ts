/** Billing is never a limit: nothing else in the server knows of it, so nothing can behave differently because of a plan. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { importsOf } from "../structure/imports.ts";
import { isTest, readTree, type Tree } from "../structure/tree.ts";

/** Who may know of it: what mounts and starts it, and the list of operations. */
const mayKnow = ["server/src/server.ts", "server/src/console/operations.ts"];

/** Files of the server outside of billing that import it, or read its settings or its tables. */
function knowingOf(tree: Tree): string[] {
  const outside = (path: string) =>
    path.startsWith("server/src/") && !path.startsWith("server/src/billing/") && !isTest(path);
  const importing = importsOf(tree).filter(
    ({ from, file }) => outside(from) && file?.startsWith("server/src/billing/"),
  );
  const reading = [...tree].filter(
    ([path, text]) =>
      outside(path) && path.endsWith(".ts") && /config\.billing|\bdb\.billing|billing\.\w+ (where|set)/.test(text),
  );
  return [...importing.map(({ from }) => from), ...reading.map(([path]) => path)].filter(
    (path) => !mayKnow.includes(path),
  );
}

test("nothing outside of billing asks it anything", () => {
  assert.deepEqual(knowingOf(readTree(join(import.meta.dirname, "..", "..", ".."))), []);
  const planted = new Map([
    ["server/src/rooms/create.ts", `import { readPlan } from "../billing/queries.ts";`],
    ["server/src/billing/queries.ts", "export const readPlan = 1;"],
    ["server/src/auth/register.ts", "if (ctx.config.billing) refuse();"],
    ["server/src/media/upload.ts", "const plan = await ctx.db.billing.one(sql);"],
  ]);
  assert.deepEqual(knowingOf(planted).toSorted(), [
    "server/src/auth/register.ts",
    "server/src/media/upload.ts",
    "server/src/rooms/create.ts",
  ]);
});
