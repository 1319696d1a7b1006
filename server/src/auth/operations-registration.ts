/** What operators decide about registering and signing in, while Parley runs. See docs/operations/insight.md. */
import { z } from "zod";
import { cursorOf, readCursor } from "../console/cursor.ts";
import { operation, type Operation, pageOf, pageQuery, reasonSchema } from "../console/operation.ts";
import { time } from "../console/users/shapes.ts";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { changeControls, controlSchemas, effectiveOf, limitsOf, whoSet } from "../system/controls.ts";
import {
  listRegistrationTokens,
  makeRegistrationToken,
  registrationTokenId,
  revokeRegistrationToken,
} from "./registration-tokens.ts";

const { maintenance: _, ...signInSchemas } = controlSchemas;
type Name = keyof typeof signInSchemas;
const names = Object.keys(signInSchemas) as Name[];

const shown = <T extends z.ZodType>(value: T) =>
  z.object({
    value: value.meta({ description: "What counts now." }),
    set: value.nullable().meta({ description: "What operators have set; null: nothing." }),
    default: value.meta({ description: "What counts where nothing is set." }),
    limit: value.nullable().meta({ description: "Where an environment variable is set: no laxer value counts." }),
    set_by: z.string().nullable(),
    set_ts: time.nullable(),
  });

const settings = z.object({
  registration: shown(signInSchemas.registration),
  // What counts may be below what operators may set, where a test suite has cheap passwords.
  password_least_characters: shown(z.int()),
  access_token_lifetime_s: shown(z.number()),
  session_idle_days: shown(signInSchemas.session_idle_days),
  session_days: shown(signInSchemas.session_days),
});

async function readSettings(ctx: Context): Promise<z.output<typeof settings>> {
  const { now, stored } = ctx.controls;
  const [rows, byDefault, most] = [await whoSet(ctx.db), effectiveOf({}, ctx.config), limitsOf(ctx.config)];
  const shownOf = (name: Name) => {
    const row = rows.find((each) => each.name === name);
    return {
      value: now()[name],
      set: stored()[name] ?? null,
      default: byDefault[name],
      limit: name === "registration" || name === "access_token_lifetime_s" ? (most[name] ?? null) : null,
      set_by: row?.changed_by ?? null,
      set_ts: row?.changed_ms ?? null,
    };
  };
  return Object.fromEntries(names.map((name) => [name, shownOf(name)])) as z.output<typeof settings>;
}

const readSignIn = operation({
  id: "sign_in_settings.read",
  method: "GET",
  path: "/settings/sign-in",
  summary: "Shows who may register, and what passwords and sessions must be like",
  role: "auditor",
  answer: settings,
  command: { name: "settings show" },
  handle: (_request, ctx) => readSettings(ctx),
});

const changeBody = z.object({
  registration: signInSchemas.registration.nullable().optional(),
  password_least_characters: signInSchemas.password_least_characters.nullable().optional(),
  access_token_lifetime_s: signInSchemas.access_token_lifetime_s.nullable().optional(),
  session_idle_days: signInSchemas.session_idle_days.optional(),
  session_days: signInSchemas.session_days.optional(),
  reason: reasonSchema,
});

const changeSignIn = operation({
  id: "sign_in_settings.change",
  method: "PUT",
  path: "/settings/sign-in",
  summary: "Changes who may register, and what passwords and sessions must be like",
  description:
    "Only what is named is changed; null takes it back. It counts on every replica within 5 s. A shorter life of sessions ends those that are older within a minute. What is laxer than an environment variable that is set is refused.",
  role: "owner",
  body: changeBody,
  answer: settings,
  target: () => "sign-in",
  command: { name: "settings set" },
  async handle({ body: { reason: _reason, ...body }, actor, audit }, ctx) {
    const before = ctx.controls.stored();
    const changed = names.filter((name) => body[name] !== undefined);
    if (changed.length === 0) throw matrixError("M_MISSING_PARAM", "Nothing is named that is to change.");
    const changes = Object.fromEntries(changed.map((name) => [name, body[name] ?? undefined]));
    refuseLaxer(ctx, changes);
    await changeControls(ctx, changes, actor.userId);
    const of = (from: object) => Object.fromEntries(changed.map((name) => [name, (from as never)[name] ?? null]));
    audit({ before: of(before), after: of(ctx.controls.stored()) });
    return readSettings(ctx);
  },
});

/** Whoever rules the environment has said what is the most. To take a laxer value and not go by it would mislead. */
function refuseLaxer(ctx: Context, changes: Parameters<typeof effectiveOf>[0]): void {
  const effective = effectiveOf(changes, ctx.config);
  for (const [name, variable] of [
    ["registration", "PARLEY_REGISTRATION"],
    ["access_token_lifetime_s", "PARLEY_ACCESS_TOKEN_LIFETIME_S"],
  ] as const)
    if (changes[name] !== undefined && effective[name] !== changes[name])
      throw matrixError("M_INVALID_PARAM", `${variable} is set to "${effective[name]}", and nothing laxer counts.`);
}

const token = z.object({
  token_id: z.string(),
  note: z.string().nullable(),
  created_by: z.string().nullable().meta({ description: "Null where the server made it, or an earlier version." }),
  created_ts: time,
  expires_ts: time.nullable(),
  uses: z.int(),
  uses_allowed: z.int().nullable().meta({ description: "Null: any number." }),
  makes_admin: z.boolean().meta({ description: "The link of the first administrator." }),
  is_valid: z.boolean(),
});

const listTokens = operation({
  id: "registration_tokens.list",
  method: "GET",
  path: "/registration-tokens",
  summary: "Lists registration tokens, the newest first",
  description: "The tokens themselves are nowhere: each was shown once, when it was made.",
  role: "auditor",
  query: z.object({
    limit: pageQuery.limit,
    from: pageQuery.from,
    valid: z.enum(["true", "false"]).default("false").meta({ description: "true: only those that can still be used." }),
  }),
  answer: pageOf(token),
  command: {
    name: "token list",
    columns: ["token_id", "note", "uses", "uses_allowed", "expires_ts", "is_valid", "created_by"],
  },
  async handle({ query: { limit, from, valid } }, ctx) {
    const key = from === undefined ? undefined : readCursor(from, z.tuple([z.number(), z.string()]));
    const after = key && { created_ts: key[0], token_id: key[1] };
    const rows = await listRegistrationTokens(ctx, { limit: limit + 1, isValidOnly: valid === "true", after });
    const items = rows.slice(0, limit);
    const last = rows.length > limit ? items.at(-1) : undefined;
    return { items, ...(last ? { next: cursorOf([last.created_ts, last.token_id]) } : {}) };
  },
});

const createToken = operation({
  id: "registration_tokens.create",
  method: "POST",
  path: "/registration-tokens",
  summary: "Makes a registration token",
  description: "The answer is the only place where the token stands in full.",
  role: "operator",
  body: z.object({
    uses_allowed: z.int().min(1).max(limits.registrationToken_uses).default(1),
    expires_in_s: z
      .int()
      .min(1)
      .max(limits.registrationToken_ms / 1_000)
      .default(limits.registrationTokenDefault_ms / 1_000),
    note: z.string().trim().min(1).max(limits.note_characters).optional().meta({ description: "Whom it is for." }),
  }),
  answer: z.object({
    token_id: z.string(),
    token: z.string(),
    link: z.string(),
    uses_allowed: z.int(),
    expires_in_s: z.int(),
  }),
  command: { name: "token create" },
  async handle({ body: { uses_allowed, expires_in_s, note }, actor, audit }, ctx) {
    const expires_in_ms = expires_in_s * 1_000;
    const made = await makeRegistrationToken(ctx, { uses_allowed, expires_in_ms, note, created_by: actor.userId });
    const token_id = registrationTokenId(made.token);
    audit({ target: token_id, after: { uses_allowed, expires_in_s, note: note ?? null } });
    return { token_id, token: made.token, link: made.link, uses_allowed, expires_in_s };
  },
});

const revokeToken = operation({
  id: "registration_tokens.revoke",
  method: "POST",
  path: "/registration-tokens/:tokenId/revoke",
  summary: "Takes a registration token back",
  description: "Nobody can register with it any more. Accounts that were made with it stay.",
  role: "operator",
  body: z.object({ reason: reasonSchema }),
  answer: token,
  command: { name: "token revoke", arguments: ["tokenId"] },
  async handle({ params: { tokenId }, audit }, ctx) {
    const revoked = await revokeRegistrationToken(ctx, tokenId);
    if (!revoked) throw matrixError("M_NOT_FOUND", "There is no such registration token.");
    audit({ before: revoked });
    return { ...revoked, is_valid: false };
  },
});

export const operations: readonly Operation[] = [readSignIn, changeSignIn, listTokens, createToken, revokeToken];
