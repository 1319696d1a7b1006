/** Account data and tags. Specification: client-server-api, "Client config" and "Room tagging". */
import { z } from "zod";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { encoded, type Request, route, type Route } from "../http.ts";
import { limits } from "../limits.ts";
import { readAccountDataItem } from "../log/queries.ts";
import { pushRulesContent } from "../push/stored-rules.ts";
import { requireOwn } from "./own.ts";

/** Types that have paths of their own. */
const SERVER_TYPES = new Set(["m.fully_read", "m.push_rules"]);

export interface DataKey {
  userId: string;
  /** '' is global account data. */
  roomId: string;
  type: string;
}

/** Stores account data, and tells all of the person's sessions. */
export async function putAccountData(ctx: Context, { userId, roomId, type }: DataKey, content: object): Promise<void> {
  await ctx.log.append({
    lane: userId,
    entries: [
      { kind: "account_data", user: userId, ...(roomId === "" ? {} : { room: roomId }), type, body: bodyOf(content) },
    ],
  });
}

/**
 * Changes what is stored, and tells all of the person's sessions. `change` gets the stored text, undefined for none, and gives the
 * new content; it is called again where somebody else, here or in another replica, was faster.
 */
export async function changeAccountData(
  ctx: Context,
  key: DataKey,
  change: (stored: string | undefined) => object,
): Promise<void> {
  for (;;) {
    const stored = await readAccountDataItem(ctx.db.log, key);
    const row = await ctx.db.log.one<{ position: number | null }>(
      "select log.change_account_data($1, $2, $3, $4, $5) as position",
      [key.userId, key.roomId, key.type, stored ?? null, bodyOf(change(stored))],
    );
    if (row?.position) return ctx.log.reached(row.position);
  }
}

function bodyOf(content: object): string {
  const body = JSON.stringify(content);
  if (Buffer.byteLength(body) > limits.event_bytes)
    throw matrixError("M_TOO_LARGE", `Account data may have ${limits.event_bytes} bytes.`);
  return body;
}

function keyOf({ session, params }: Request, type = params["type"] as string): DataKey {
  requireOwn(session, params["userId"]);
  const roomId = params["roomId"] ?? "";
  if (params["roomId"] !== undefined && !roomId.startsWith("!"))
    throw matrixError("M_INVALID_PARAM", `"${roomId}" is not a room id.`);
  if (Buffer.byteLength(type) > limits.identifier_bytes)
    throw matrixError("M_INVALID_PARAM", "The type is longer than 255 bytes.");
  return { userId: session.userId, roomId, type };
}

async function put(request: Request<Record<string, unknown>>, ctx: Context): Promise<object> {
  const key = keyOf(request);
  if (SERVER_TYPES.has(key.type))
    throw matrixError("M_BAD_JSON", `${key.type} has a path of its own and can not be set here.`, { status: 405 });
  await putAccountData(ctx, key, request.body);
  return {};
}

async function get(request: Request, ctx: Context) {
  const key = keyOf(request);
  const stored = await readAccountDataItem(ctx.db.log, key);
  if (key.type === "m.push_rules" && key.roomId === "") return encoded(pushRulesContent(stored, key.userId));
  if (stored === undefined) throw matrixError("M_NOT_FOUND", `There is no account data of the type ${key.type}.`);
  return encoded(stored);
}

const USER = "/_matrix/client/v3/user/:userId";
const json = z.record(z.string(), z.unknown());

const dataRoutes = ["/account_data/:type", "/rooms/:roomId/account_data/:type"].flatMap((path) => [
  route({ method: "PUT", path: USER + path, access: "session", rate: "other", body: json, handle: put }),
  route({ method: "GET", path: USER + path, access: "session", handle: get }),
]);

type Tags = Record<string, Record<string, unknown>>;

function tagsOf(stored: string | undefined): Tags {
  const tags = stored === undefined ? undefined : (JSON.parse(stored) as { tags?: unknown }).tags;
  // Clients may also write m.tag as account data, where it may be anything.
  const isObject = (value: unknown): value is Record<string, unknown> =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject(tags)
    ? Object.fromEntries(
        Object.entries(tags).filter((each): each is [string, Record<string, unknown>] => isObject(each[1])),
      )
    : {};
}

async function changeTags(ctx: Context, key: DataKey, change: (tags: Tags) => void): Promise<object> {
  await changeAccountData(ctx, key, (stored) => {
    const tags = tagsOf(stored);
    change(tags);
    return { tags };
  });
  return {};
}

const TAGS = `${USER}/rooms/:roomId/tags`;
const tagBody = z.looseObject({ order: z.number().min(0).max(1).optional() });

const tagRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: TAGS,
    access: "session",
    handle: async (request, ctx) => ({
      tags: tagsOf(await readAccountDataItem(ctx.db.log, keyOf(request, "m.tag"))),
    }),
  }),
  route({
    method: "PUT",
    path: `${TAGS}/:tag`,
    access: "session",
    rate: "other",
    body: tagBody,
    handle: (request, ctx) =>
      changeTags(ctx, keyOf(request as never, "m.tag"), (tags) => {
        tags[tagName(request.params)] = request.body;
      }),
  }),
  route({
    method: "DELETE",
    path: `${TAGS}/:tag`,
    access: "session",
    rate: "other",
    handle: (request, ctx) =>
      changeTags(ctx, keyOf(request, "m.tag"), (tags) => {
        delete tags[tagName(request.params)];
      }),
  }),
];

function tagName(params: Record<string, string>): string {
  const tag = params["tag"] as string;
  if (Buffer.byteLength(tag) > limits.identifier_bytes)
    throw matrixError("M_INVALID_PARAM", "A tag has at most 255 bytes.");
  return tag;
}

export const accountDataRoutes: readonly Route[] = [...dataRoutes, ...tagRoutes];
