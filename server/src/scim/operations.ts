/** What operators decide and see of provisioning by directories. See docs/operations/provisioning.md. */
import { z } from "zod";
import { providersOf } from "../auth/sso/providers.ts";
import { operation, type Operation, pageOf, reasonSchema } from "../console/operation.ts";
import { time } from "../console/users/shapes.ts";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { SCIM } from "./answer.ts";
import { listErrors } from "./errors-log.ts";
import { listTokens, makeToken, revokeToken } from "./tokens.ts";

/** What a directory is told as the address of the server. */
const addressOf = (ctx: Context) => `${ctx.publicUrl()}${SCIM}`;

const show = operation({
  id: "provisioning.read",
  method: "GET",
  path: "/provisioning",
  summary: "Shows the address for directories, and when one was last here",
  role: "auditor",
  answer: z.object({
    address: z.string().meta({ description: "Of SCIM 2.0, for the directory's settings." }),
    people: z.int().meta({ description: "Active accounts that a directory made or took over." }),
    last_request_ts: time.nullable().meta({ description: "With a token that there still is; a minute old at most." }),
    last_change_ts: time.nullable().meta({ description: "When a directory changed something of somebody." }),
    providers: z
      .array(z.object({ id: z.string(), name: z.string() }))
      .meta({ description: "Whose subjects an `externalId` can be." }),
  }),
  command: { name: "scim show", shows: ["address", "people", "last_request_ts", "last_change_ts"] },
  async handle(_request, ctx) {
    const row = await ctx.db.auth.one<{ people: number; asked: number | null; changed: number | null }>(
      `select (select count(*) from auth.scim_people p join auth.accounts a using (user_id)
           where p.removed_at is null and a.deactivated_at is null) as people,
         (select floor(extract(epoch from max(last_used_at)) * 1000)::bigint from auth.scim_tokens) as asked,
         (select floor(extract(epoch from max(greatest(changed_at, removed_at))) * 1000)::bigint from auth.scim_people) as changed`,
    );
    return {
      address: addressOf(ctx),
      people: row?.people ?? 0,
      last_request_ts: row?.asked ?? null,
      last_change_ts: row?.changed ?? null,
      providers: providersOf(ctx).map(({ id, name }) => ({ id, name })),
    };
  },
});

const token = z.object({
  token_id: z.string(),
  name: z.string().meta({ description: "In the audit log the directory is `scim:` and this." }),
  provider: z.string().nullable().meta({ description: "Whose subject an `externalId` is." }),
  created_by: z.string(),
  created_ts: time,
  last_used_ts: time.nullable().meta({ description: "A minute old at most; null where it was never used." }),
  last_used_address: z.string().nullable(),
});

const list = operation({
  id: "provisioning_tokens.list",
  method: "GET",
  path: "/provisioning/tokens",
  summary: "Lists the tokens of directories, the newest first",
  description: "The tokens themselves are nowhere: each was shown once, when it was made.",
  role: "auditor",
  answer: pageOf(token),
  command: {
    name: "scim token list",
    columns: ["token_id", "name", "provider", "last_used_ts", "last_used_address", "created_by", "created_ts"],
  },
  handle: async (_request, ctx) => ({ items: await listTokens(ctx) }),
});

const create = operation({
  id: "provisioning_tokens.create",
  method: "POST",
  path: "/provisioning/tokens",
  summary: "Makes a token with which a directory makes, changes and ends accounts",
  description:
    "The answer is the only place where the token stands in full. To change one, make a second, give it to the directory, and revoke the first.",
  role: "owner",
  body: z.object({
    name: z
      .string()
      .trim()
      .max(limits.scimTokenName_characters)
      .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._-]*$/u, "Letters, digits, spaces and . _ - are allowed.")
      .meta({ description: "Which directory it is for." }),
    provider: z
      .string()
      .max(limits.ssoText_characters)
      .optional()
      .meta({ description: "The id of one of PARLEY_SSO_PROVIDERS: people sign in by it as their `externalId`." }),
  }),
  answer: token.extend({ token: z.string(), address: z.string() }),
  target: ({ body }) => body.name,
  command: { name: "scim token create", arguments: ["name"], shows: ["address", "token", "token_id"] },
  async handle({ body: { name, provider }, actor, audit }, ctx) {
    if (provider !== undefined && !providersOf(ctx).some(({ id }) => id === provider))
      throw matrixError("M_INVALID_PARAM", `PARLEY_SSO_PROVIDERS has no provider with the id "${provider}".`);
    const made = await makeToken(ctx, { name, provider, created_by: actor.userId });
    audit({ target: made.token_id, after: { name, provider: provider ?? null } });
    return { ...made, address: addressOf(ctx) };
  },
});

const revoke = operation({
  id: "provisioning_tokens.revoke",
  method: "POST",
  path: "/provisioning/tokens/:tokenId/revoke",
  summary: "Takes the token of a directory back",
  description: "The directory changes nothing any more from then on. Accounts stay as they are.",
  role: "owner",
  body: z.object({ reason: reasonSchema }),
  answer: token,
  command: { name: "scim token revoke", arguments: ["tokenId"] },
  async handle({ params: { tokenId }, audit }, ctx) {
    const revoked = await revokeToken(ctx, tokenId);
    if (!revoked) throw matrixError("M_NOT_FOUND", "There is no such token.");
    audit({ before: { name: revoked.name, provider: revoked.provider, last_used_ts: revoked.last_used_ts } });
    return revoked;
  },
});

const errors = operation({
  id: "provisioning_errors.list",
  method: "GET",
  path: "/provisioning/errors",
  summary: "Lists the last requests of directories that were refused, the newest first",
  description: `The last ${limits.scimErrors} are kept, without what was sent. Whoever comes without a token that is known is not among them.`,
  role: "auditor",
  answer: pageOf(
    z.object({
      error_id: z.int(),
      time_ts: time,
      token_name: z.string(),
      method: z.string(),
      path: z.string().meta({ description: "Behind the address of SCIM." }),
      status: z.int(),
      detail: z.string().meta({ description: "The sentence that the directory was told." }),
    }),
  ),
  command: { name: "scim errors", columns: ["time_ts", "token_name", "method", "path", "status", "detail"] },
  handle: async (_request, ctx) => ({ items: await listErrors(ctx) }),
});

export const scimOperations: readonly Operation[] = [show, list, create, revoke, errors];
