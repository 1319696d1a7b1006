/** What operators ask about people. */
import { z } from "zod";
import {
  type AccountOrder,
  accountStatuses,
  countAccounts,
  listAccounts,
  readAccount,
} from "../../auth/for-operators.ts";
import { findByEmail } from "../../auth/email/addresses.ts";
import { factorsOf } from "../../auth/factors/second-factor.ts";
import { acceptedBy } from "../../auth/terms/acceptance.ts";
import type { Context } from "../../context.ts";
import { fold, wordsOf } from "../../directory/fold.ts";
import { findPeople } from "../../directory/people.ts";
import { matrixError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { cursorOf, readCursor } from "../cursor.ts";
import { operation, operatorRoles, pageOf, pageQuery } from "../operation.ts";
import { operatorsWith } from "../operators.ts";
import { peopleOf, person, time } from "./shapes.ts";

const orders = {
  user_id: "user_id",
  created_ts: "created_at",
  "-created_ts": "-created_at",
  last_seen_ts: "last_seen_at",
  "-last_seen_ts": "-last_seen_at",
} as const satisfies Record<string, AccountOrder>;

/** What the list is sorted by, as the database wrote it, and a user id. By user id there is nothing but that. */
const cursorOfIds = z.tuple([z.literal(""), z.string()]);
const cursorOfTimes = z.tuple([z.string().regex(/^-?\d{1,16}$/), z.string()]);

const listQuery = z.object({
  ...pageQuery,
  sort: z.enum(Object.keys(orders) as (keyof typeof orders)[]).default("user_id"),
  status: z.enum(accountStatuses).optional(),
  role: z
    .enum([...operatorRoles, "any"])
    .optional()
    .meta({ description: "Operators with this role, or with any." }),
});

const listUsers = operation({
  id: "users.list",
  method: "GET",
  path: "/users",
  summary: "Lists accounts",
  description: "`q` finds people by their user id, by the words of their names and by their e-mail addresses.",
  role: "auditor",
  query: listQuery,
  answer: pageOf(person),
  command: {
    name: "user list",
    columns: ["user_id", "display_name", "emails", "role", "status", "devices", "last_seen_ts"],
  },
  async handle({ query: { limit, from, q, sort, status, role } }, ctx) {
    const key = sort === "user_id" ? cursorOfIds : cursorOfTimes;
    const after = from === undefined ? undefined : readCursor(from, key);
    const among = await amongOf(ctx, { q, role });
    const accounts = await listAccounts(ctx, orders[sort], {
      status,
      ...among,
      after: after && { key: after[0], userId: after[1] },
      limit: limit + 1,
    });
    const shown = accounts.slice(0, limit);
    const last = accounts.length > limit ? shown.at(-1) : undefined;
    const isAll = q === undefined && role === undefined;
    return {
      items: await peopleOf(ctx, shown),
      ...(last ? { next: cursorOf([last.key, last.userId]) } : {}),
      ...(isAll ? { total: (await countAccounts(ctx))[status ?? "all"] } : {}),
    };
  },
});

/** Whom a search and a filter by role leave; nothing where there is neither. */
async function amongOf(ctx: Context, { q, role }: Pick<z.output<typeof listQuery>, "q" | "role">) {
  const among = role === undefined ? undefined : await operatorsWith(ctx, role);
  if (!q) return { among };
  const text = q.toLowerCase();
  const [{ userIds }, mailed] = await Promise.all([
    findPeople(ctx, { text: fold(q), words: wordsOf(q) }, limits.operatorPage_items),
    findByEmail(ctx, text, limits.operatorPage_items),
  ]);
  return { among, search: { text, named: [...userIds, ...mailed] } };
}

const readUser = operation({
  id: "users.read",
  method: "GET",
  path: "/users/:userId",
  summary: "Shows an account",
  role: "auditor",
  answer: person.extend({
    suspended_ts: time.nullable(),
    deactivated_ts: time.nullable(),
    has_password: z.boolean(),
    passkeys: z.int(),
    has_second_factor: z.boolean().meta({ description: "Whether a code from an app is asked for after the password." }),
    accepted_policies: z
      .array(z.object({ policy_id: z.string(), version: z.string(), accepted_ts: time }))
      .meta({ description: "Which policies of PARLEY_TERMS the person accepted when the account was made." }),
  }),
  command: { name: "user show", arguments: ["userId"] },
  async handle({ params: { userId } }, ctx) {
    const account = await readAccount(ctx, userId);
    if (!account) throw matrixError("M_NOT_FOUND", "There is no such account.");
    const [[shown], factors, policies] = await Promise.all([
      peopleOf(ctx, [account]),
      factorsOf(ctx, userId),
      acceptedBy(ctx, userId),
    ]);
    return {
      ...(shown as NonNullable<typeof shown>),
      suspended_ts: account.suspended_ms,
      deactivated_ts: account.deactivated_ms,
      has_password: account.hasPassword,
      passkeys: factors.passkeys,
      has_second_factor: factors.hasSecondFactor,
      accepted_policies: policies,
    };
  },
});

export const userQuestions = [listUsers, readUser];
