/** What became of imports, and the links for the people who are new by one. */
import { z } from "zod";
import { isWithoutPassword } from "../auth/for-imports.ts";
import { resetSignIn } from "../auth/for-operators-acts.ts";
import { cursorOf, readCursor } from "../console/cursor.ts";
import { type Actor, operation, type Operation, pageOf, pageQuery, reasonSchema } from "../console/operation.ts";
import { mayActOn } from "../console/users/may.ts";
import type { Context } from "../context.ts";
import { matrixError, MatrixError } from "../errors.ts";

const counts = "count(*) filter (where r.outcome = $$)";
const IMPORTS = `select i.import_id, i.kind, i.created_by, floor(extract(epoch from i.created_at) * 1000)::bigint as created_ts, i.job_id,
    count(r.row) as rows, ${counts.replace("$$", "'created'")} as created, ${counts.replace("$$", "'exists'")} as existed,
    ${counts.replace("$$", "'failed'")} as failed
  from console.imports i left join console.import_rows r using (import_id)
  where $1::bigint is null or i.import_id < $1 group by i.import_id order by i.import_id desc limit $2`;

const listed = z.object({
  import_id: z.int(),
  kind: z.enum(["people", "channels"]),
  created_by: z.string(),
  created_ts: z.int(),
  job_id: z.int().nullable(),
  rows: z.int(),
  created: z.int(),
  existed: z.int(),
  failed: z.int(),
});

const list = operation({
  id: "imports.list",
  method: "GET",
  path: "/imports",
  summary: "Lists imports, the newest first",
  role: "auditor",
  query: z.object({ limit: pageQuery.limit, from: pageQuery.from }),
  answer: pageOf(listed),
  command: { name: "import list" },
  async handle({ query: { limit, from } }, ctx) {
    const before = from === undefined ? null : readCursor(from, z.tuple([z.int()]))[0];
    const rows = await ctx.db.console.query<z.output<typeof listed>>(IMPORTS, [before, limit + 1]);
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    return { items: rows.slice(0, limit), ...(last ? { next: cursorOf([last.import_id]) } : {}) };
  },
});

function idOf(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw matrixError("M_NOT_FOUND", `There is no import ${text}.`);
  return Number(text);
}

/** Throws M_NOT_FOUND. */
async function knownImport(ctx: Context, text: string): Promise<number> {
  const id = idOf(text);
  if (!(await ctx.db.console.one("select 1 from console.imports where import_id = $1", [id])))
    throw matrixError("M_NOT_FOUND", `There is no import ${text}.`);
  return id;
}

const logRow = z.object({
  row: z.int(),
  name: z.string(),
  outcome: z.enum(["open", "creating", "created", "exists", "failed"]),
  result: z.string().nullable().meta({ description: "The user or room id that came of it." }),
  detail: z.string().nullable(),
});

const readLog = operation({
  id: "imports.log",
  method: "GET",
  path: "/imports/:importId/rows",
  summary: "Shows what became of each row of an import",
  role: "auditor",
  query: z.object({
    limit: pageQuery.limit,
    from: pageQuery.from,
    outcome: z.enum(["created", "exists", "failed"]).optional(),
  }),
  answer: pageOf(logRow),
  command: { name: "import log", arguments: ["importId"] },
  async handle({ params: { importId }, query: { limit, from, outcome } }, ctx) {
    const after = from === undefined ? 0 : readCursor(from, z.tuple([z.int()]))[0];
    const rows = await ctx.db.console.query<Omit<z.output<typeof logRow>, "name"> & { data: string }>(
      `select row, data, coalesce(outcome, 'open') as outcome, result, detail from console.import_rows
       where import_id = $1 and row > $2 and ($3::text is null or outcome = $3) order by row limit $4`,
      [await knownImport(ctx, importId), after, outcome ?? null, limit + 1],
    );
    const items = rows.slice(0, limit).map(({ data, ...row }) => {
      const { username, name } = JSON.parse(data) as { username?: string; name?: string };
      return { ...row, name: username ?? name ?? "" };
    });
    const last = rows.length > limit ? items.at(-1) : undefined;
    return { items, ...(last ? { next: cursorOf([last.row]) } : {}) };
  },
});

/** Somebody of an import may have become an operator meanwhile: then a link is the owners' to give, as anywhere. */
async function mayLetIn(ctx: Context, actor: Actor, userId: string): Promise<boolean> {
  try {
    await mayActOn(ctx, actor, userId);
    return true;
  } catch (thrown) {
    if (thrown instanceof MatrixError && thrown.errcode === "M_FORBIDDEN") return false;
    throw thrown;
  }
}

const links = operation({
  id: "imports.links",
  method: "POST",
  path: "/imports/:importId/links",
  summary: "Makes a link for each person of an import who has no password yet, by which they set one",
  description:
    "Each is shown this once; asking again makes new ones. Only an owner gets those of operators. A page at a time: `from` is `next` of the page before.",
  role: "operator",
  query: z.object({ limit: z.coerce.number().int().min(1).max(100).default(100), from: pageQuery.from }),
  body: z.object({ reason: reasonSchema }),
  answer: pageOf(z.object({ user_id: z.string(), link: z.string(), link_expires_ts: z.number() })),
  command: { name: "import links", arguments: ["importId"] },
  async handle({ params: { importId }, query: { limit, from }, actor, audit }, ctx) {
    const after = from === undefined ? 0 : readCursor(from, z.tuple([z.int()]))[0];
    const rows = await ctx.db.console.query<{ row: number; userId: string }>(
      `select r.row, r.result as "userId" from console.import_rows r join console.imports i using (import_id)
       where i.import_id = $1 and i.kind = 'people' and r.outcome = 'created' and r.row > $2 order by r.row limit $3`,
      [await knownImport(ctx, importId), after, limit + 1],
    );
    const items = [];
    for (const { userId } of rows.slice(0, limit)) {
      if (!(await isWithoutPassword(ctx, userId)) || !(await mayLetIn(ctx, actor, userId))) continue;
      const { link, expires_ms } = await resetSignIn(ctx, userId);
      items.push({ user_id: userId, link, link_expires_ts: expires_ms });
    }
    audit({ target: `import ${importId}`, after: { links: items.length } });
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    return { items, ...(last ? { next: cursorOf([last.row]) } : {}) };
  },
});

export const importLogOperations: readonly Operation[] = [list, readLog, links];
