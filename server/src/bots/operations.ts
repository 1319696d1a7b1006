/** Bots as operators see and make them: an account, somebody who answers for it, and tokens with scopes. See docs/operations/bots.md. */
import { z } from "zod";
import { changeProfile, profilesOf } from "../account/profile.ts";
import { type BotToken, createBotAccount, issueBotToken, listBotTokens, rotateBotToken } from "../auth/bot-tokens.ts";
import { endSessions } from "../auth/end-sessions.ts";
import { readAccount, accountStatuses } from "../auth/for-operators.ts";
import { isActive } from "../auth/queries.ts";
import { userIdFrom } from "../auth/user-names.ts";
import { cursorOf, readCursor } from "../console/cursor.ts";
import { operation, type Operation, pageOf, pageQuery, reasonSchema } from "../console/operation.ts";
import { time } from "../console/users/shapes.ts";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { describeRooms } from "../rooms/for-operators.ts";
import { roomsWith } from "../rooms/membership.ts";
import { type BotRow, listBots, readBot } from "./queries.ts";
import { scopeNames } from "./scopes.ts";
import { operations as webhooks } from "./webhook-operations.ts";

const DAY_MS = 86_400_000;

const bot = z.object({
  user_id: z.string(),
  display_name: z.string().nullable(),
  owner: z.string().meta({ description: "Who answers for it." }),
  owner_active: z.boolean(),
  purpose: z.string().nullable(),
  status: z.enum(accountStatuses),
  created_by: z.string(),
  created_ts: time,
  tokens: z.int(),
  oldest_token_ts: time.nullable().meta({ description: "When the oldest secret that still works was made." }),
  last_used_ts: time.nullable(),
  channels: z.int(),
});

const token = z.object({
  token_id: z.string(),
  name: z.string().nullable(),
  scopes: z.array(z.string()),
  created_ts: time,
  rotated_ts: time.meta({ description: "When its newest secret was made." }),
  last_used_ts: time.nullable(),
  last_used_address: z.string().nullable(),
  expires_ts: time.nullable(),
  overlap_until_ts: time.nullable().meta({ description: "Until when the secret before the newest works too." }),
});

async function shown(ctx: Context, rows: readonly BotRow[]): Promise<z.output<typeof bot>[]> {
  const ids = rows.map(({ user_id }) => user_id);
  const [profiles, tokens] = [await profilesOf(ctx, ids), await listBotTokens(ctx, ids)];
  return Promise.all(
    rows.map(async (row) => {
      const own = tokens.filter(({ user_id }) => user_id === row.user_id);
      const used = own.map(({ last_used_ts }) => last_used_ts).filter((each) => each !== null);
      const account = await readAccount(ctx, row.user_id);
      return {
        ...row,
        display_name: profiles.get(row.user_id)?.displayname ?? null,
        owner_active: await isActive(ctx, row.owner),
        status: account?.status ?? "deactivated",
        tokens: own.length,
        oldest_token_ts: own.length === 0 ? null : Math.min(...own.map(({ rotated_ts }) => rotated_ts)),
        last_used_ts: used.length === 0 ? null : Math.max(...used),
        channels: (await roomsWith(ctx, row.user_id, ["join"])).length,
      };
    }),
  );
}

/** Throws M_NOT_FOUND. */
async function existing(ctx: Context, userId: string): Promise<BotRow> {
  const row = await readBot(ctx, userId);
  if (!row) throw matrixError("M_NOT_FOUND", "There is no such bot.");
  return row;
}

/** Throws M_INVALID_PARAM where nobody active has this id, or it is a bot itself. */
async function ownerOf(ctx: Context, given: string): Promise<string> {
  const owner = userIdFrom(ctx, given);
  if (!(await isActive(ctx, owner)) || (await readBot(ctx, owner)))
    throw matrixError("M_INVALID_PARAM", `"owner" must be a person with an active account.`);
  return owner;
}

const list = operation({
  id: "bots.list",
  method: "GET",
  path: "/bots",
  summary: "Lists bots",
  role: "auditor",
  query: z.object({ ...pageQuery, owner: z.string().max(limits.identifier_bytes).optional() }),
  answer: pageOf(bot),
  command: { name: "bot list", columns: ["user_id", "owner", "tokens", "oldest_token_ts", "last_used_ts", "channels"] },
  async handle({ query: { limit, from, q, owner } }, ctx) {
    const after = from === undefined ? undefined : readCursor(from, z.tuple([z.string()]))[0];
    const rows = await listBots(ctx, { limit: limit + 1, after, q, owner: owner && userIdFrom(ctx, owner) });
    const items = rows.slice(0, limit);
    const last = rows.length > limit ? items.at(-1) : undefined;
    return { items: await shown(ctx, items), ...(last ? { next: cursorOf([last.user_id]) } : {}) };
  },
});

const read = operation({
  id: "bots.read",
  method: "GET",
  path: "/bots/:userId",
  summary: "Shows a bot with its tokens and the rooms that it is in",
  role: "auditor",
  answer: bot.extend({
    token_list: z.array(token),
    channel_list: z.array(z.object({ room_id: z.string(), name: z.string().nullable(), encrypted: z.boolean() })),
  }),
  command: { name: "bot show", arguments: ["userId"] },
  async handle({ params: { userId } }, ctx) {
    const [row] = await shown(ctx, [await existing(ctx, userId)]);
    const roomIds = (await roomsWith(ctx, userId, ["join"])).slice(0, limits.operatorPage_items);
    const rooms = await describeRooms(ctx, roomIds);
    return {
      ...(row as NonNullable<typeof row>),
      token_list: await listBotTokens(ctx, [userId]),
      channel_list: rooms.map(({ room_id, name, encrypted }) => ({ room_id, name, encrypted })),
    };
  },
});

const note = z.string().trim().min(1).max(limits.note_characters);

const create = operation({
  id: "bots.create",
  method: "POST",
  path: "/bots",
  summary: "Makes a bot: an account that nobody can sign in to, with somebody who answers for it",
  role: "operator",
  body: z.object({
    username: z.string().max(limits.identifier_bytes),
    owner: z.string().max(limits.identifier_bytes),
    display_name: note.optional(),
    purpose: note.optional(),
  }),
  answer: bot,
  command: { name: "bot create", arguments: ["username", "owner"] },
  async handle({ body: { username, owner: given, display_name, purpose }, actor, audit }, ctx) {
    const owner = await ownerOf(ctx, given);
    const userId = await createBotAccount(ctx, username);
    await ctx.db.console.change(
      "insert into console.bots (user_id, owner, purpose, created_by) values ($1, $2, $3, $4)",
      [userId, owner, purpose ?? null, actor.userId],
    );
    if (display_name) await changeProfile(ctx, userId, { field: "displayname", value: display_name });
    audit({ target: userId, after: { owner, purpose: purpose ?? null } });
    const [made] = await shown(ctx, [await existing(ctx, userId)]);
    return made as NonNullable<typeof made>;
  },
});

const giveTo = operation({
  id: "bots.change_owner",
  method: "POST",
  path: "/bots/:userId/owner",
  summary: "Has somebody else answer for a bot",
  role: "operator",
  body: z.object({ owner: z.string().max(limits.identifier_bytes), reason: reasonSchema }),
  answer: bot,
  command: { name: "bot owner", arguments: ["userId", "owner"] },
  async handle({ params: { userId }, body, audit }, ctx) {
    const before = await existing(ctx, userId);
    const owner = await ownerOf(ctx, body.owner);
    await ctx.db.console.change("update console.bots set owner = $2 where user_id = $1", [userId, owner]);
    audit({ before: { owner: before.owner }, after: { owner } });
    const [changed] = await shown(ctx, [{ ...before, owner }]);
    return changed as NonNullable<typeof changed>;
  },
});

const scopeList = z
  .preprocess(
    (given) => (typeof given === "string" ? given.split(",").map((each) => each.trim()) : given),
    z.array(z.enum(scopeNames)).min(1),
  )
  .transform((given) => [...new Set(given)]);
const lifetime = z
  .int()
  .min(1)
  .max(limits.botToken_days)
  .optional()
  .meta({ description: "By default it does not expire." });
const secret = z.object({
  token_id: z.string(),
  access_token: z.string().meta({ description: "Stands in full here, and nowhere else." }),
  scopes: z.array(z.string()),
});

const createToken = operation({
  id: "bot_tokens.create",
  method: "POST",
  path: "/bots/:userId/tokens",
  summary: "Makes an access token for a bot, with scopes",
  description: "A request that no scope of the token covers is refused, whatever the bot's account may.",
  role: "operator",
  body: z.object({ name: note, scopes: scopeList, expires_in_days: lifetime }),
  answer: secret,
  command: { name: "bot token create", arguments: ["userId", "name", "scopes"] },
  async handle({ params: { userId }, body: { name, scopes, expires_in_days }, audit }, ctx) {
    await existing(ctx, userId);
    if ((await listBotTokens(ctx, [userId])).length >= limits.botTokens)
      throw matrixError("M_RESOURCE_LIMIT_EXCEEDED", `A bot has ${limits.botTokens} tokens at the most.`);
    const lifetime_ms = expires_in_days && expires_in_days * DAY_MS;
    const { tokenId, token: made } = await issueBotToken(ctx, { userId, name, scopes, lifetime_ms });
    audit({ after: { token_id: tokenId, name, scopes, expires_in_days: expires_in_days ?? null } });
    return { token_id: tokenId, access_token: made, scopes };
  },
});

/** Throws M_NOT_FOUND. */
async function tokenOf(ctx: Context, userId: string, tokenId: string): Promise<BotToken> {
  const found = (await listBotTokens(ctx, [userId])).find(({ token_id }) => token_id === tokenId);
  if (!found) throw matrixError("M_NOT_FOUND", "This bot has no such token.");
  return found;
}

const overlap = z
  .int()
  .refine((value) => value === 0 || (value >= limits.overlapLeast_s && value <= limits.overlapMost_s), {
    error: `must be 0, or from ${limits.overlapLeast_s} to ${limits.overlapMost_s}`,
  })
  .default(limits.overlapDefault_s)
  .meta({ description: "How long the one before works beside it, in seconds. 0: it ends at once." });

const rotateToken = operation({
  id: "bot_tokens.rotate",
  method: "POST",
  path: "/bots/:userId/tokens/:tokenId/rotate",
  summary: "Gives a new secret for a token; the one before works for a while beside it",
  role: "operator",
  body: z.object({ overlap_s: overlap, expires_in_days: lifetime }),
  answer: secret.extend({ overlap_until_ts: time.nullable() }),
  command: { name: "bot token rotate", arguments: ["userId", "tokenId"] },
  async handle({ params: { userId, tokenId }, body: { overlap_s, expires_in_days }, audit }, ctx) {
    await existing(ctx, userId);
    const lifetime_ms = expires_in_days && expires_in_days * DAY_MS;
    const access_token = await rotateBotToken(ctx, { userId, tokenId, overlap_ms: overlap_s * 1_000, lifetime_ms });
    const { scopes, overlap_until_ts } = await tokenOf(ctx, userId, tokenId);
    audit({ after: { token_id: tokenId, overlap_s } });
    return { token_id: tokenId, access_token, scopes, overlap_until_ts };
  },
});

const revokeToken = operation({
  id: "bot_tokens.revoke",
  method: "POST",
  path: "/bots/:userId/tokens/:tokenId/revoke",
  summary: "Ends a token at once, on every replica",
  role: "operator",
  body: z.object({ reason: reasonSchema }),
  answer: token,
  command: { name: "bot token revoke", arguments: ["userId", "tokenId"] },
  async handle({ params: { userId, tokenId }, audit }, ctx) {
    await existing(ctx, userId);
    const before = await tokenOf(ctx, userId, tokenId);
    await endSessions(ctx, { userId, deviceIds: [tokenId] });
    audit({ before: { token_id: tokenId, name: before.name, scopes: before.scopes } });
    return before;
  },
});

export const operations: readonly Operation[] = [
  list,
  read,
  create,
  giveTo,
  createToken,
  rotateToken,
  revokeToken,
  ...webhooks,
];
