/** Filters that clients store and name by their id. Specification: client-server-api, "Filtering". */
import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { z } from "zod";
import { atMost } from "../bounded.ts";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { route, type Route } from "../http.ts";
import { validate } from "../validate.ts";
import { limits } from "../limits.ts";
import { type CompiledFilter, compileFilter, filterSchema } from "../sync/filter.ts";
import { requireOwn } from "./own.ts";

const compiledOf = new WeakMap<Context, LRUCache<string, CompiledFilter>>();
const NO_FILTER = compileFilter({});

/** A filter as a request names it: the JSON itself, the id of a stored one, or nothing. Throws M_INVALID_PARAM or M_NOT_FOUND. */
export async function loadFilter(ctx: Context, userId: string, text: string | undefined): Promise<CompiledFilter> {
  if (text === undefined || text === "") return NO_FILTER;
  const isInline = text.startsWith("{");
  const name = isInline ? text : `${userId} ${text}`;
  const compiled = compiledOf.get(ctx) ?? new LRUCache<string, CompiledFilter>(atMost(limits.compiledFilters));
  compiledOf.set(ctx, compiled);
  const known = compiled.get(name);
  if (known) return known;
  const filter = compileFilter(
    isInline ? parseInline(text) : (JSON.parse(await readFilter(ctx, userId, text)) as never),
  );
  compiled.set(name, filter);
  return filter;
}

function parseInline(text: string): z.output<typeof filterSchema> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw matrixError("M_INVALID_PARAM", "The filter begins like JSON but is none.");
  }
  return validate(filterSchema, json, "query");
}

async function readFilter(ctx: Context, userId: string, filterId: string): Promise<string> {
  const isNumber = /^\d{1,15}$/.test(filterId);
  const row = isNumber
    ? await ctx.db.account.one<{ definition: string }>(
        "select definition from account.filters where user_id = $1 and filter_id = $2",
        [userId, filterId],
      )
    : undefined;
  if (!row) throw matrixError("M_NOT_FOUND", "There is no such filter. Upload it again.");
  return row.definition;
}

async function storeFilter(ctx: Context, userId: string, definition: string): Promise<string> {
  const digest = createHash("sha256").update(definition).digest();
  const row = await ctx.db.account.one<{ filter_id: number }>(
    `insert into account.filters (user_id, definition, digest) values ($1, $2, $3)
     on conflict (user_id, digest) do update set definition = excluded.definition returning filter_id`,
    [userId, definition, digest],
  );
  return String(row?.filter_id);
}

const PATH = "/_matrix/client/v3/user/:userId/filter";

export const filterRoutes: readonly Route[] = [
  route({
    method: "POST",
    path: PATH,
    access: "session",
    rate: "other",
    body: z.record(z.string(), z.unknown()),
    async handle({ session, params, body }, ctx) {
      requireOwn(session, params["userId"]);
      validate(filterSchema, body, "body");
      return { filter_id: await storeFilter(ctx, session.userId, JSON.stringify(body)) };
    },
  }),
  route({
    method: "GET",
    path: `${PATH}/:filterId`,
    access: "session",
    async handle({ session, params }, ctx) {
      requireOwn(session, params["userId"]);
      return JSON.parse(await readFilter(ctx, session.userId, params["filterId"] as string)) as object;
    },
  }),
];
