/** By what people and operators show who they are, besides a password, and what of it is set where the server runs. For operators to read. */
import { isIP } from "node:net";
import { z } from "zod";
import { operation, type Operation } from "../console/operation.ts";
import type { Context } from "../context.ts";
import { hasMasterKeys } from "../explorer/master-keys.ts";
import { limits } from "../limits.ts";
import { issuerOf } from "./oauth/addresses.ts";

const people = z.int().min(0);

const read = operation({
  id: "sign_in_ways.read",
  method: "GET",
  path: "/settings/sign-in/ways",
  summary:
    "Shows where passkeys work, who has them or codes, what operators need, and how long the console lets them in",
  description:
    "None of it is changed here: it follows from PARLEY_PUBLIC_URL, AUTH_ISSUER, MASTER_ENCRYPTION_KEY, PARLEY_OPERATORS_SECOND_FACTOR and SESSION_STORAGE_TYPE, or is fixed.",
  role: "auditor",
  answer: z.object({
    passkeys_at: z
      .string()
      .nullable()
      .meta({ description: "The host at which they work; null: an address in numbers." }),
    people_with_passkeys: people.meta({ description: "Active accounts." }),
    codes: z.boolean().meta({ description: "Whether codes can be set up: it takes a master key." }),
    people_with_codes: people.meta({ description: "Active accounts." }),
    operators_second_factor: z.enum(["off", "required"]),
    console_idle_s: z.int(),
    console_session_s: z.int(),
    console_confirm_s: z.int().meta({ description: "How long a sign-in counts for what changes something." }),
    console_sessions_in: z.string().meta({ description: "`memory`: they end with the process." }),
  }),
  command: { name: "settings ways" },
  async handle(_request, ctx) {
    const { hostname } = new URL(issuerOf(ctx));
    return {
      passkeys_at: isIP(hostname.replace(/^\[(.*)\]$/, "$1")) === 0 ? hostname : null,
      ...(await countPeople(ctx)),
      codes: hasMasterKeys(ctx.config),
      operators_second_factor: ctx.config.operatorsNeedSecondFactor ? ("required" as const) : ("off" as const),
      console_idle_s: limits.consoleIdle_ms / 1_000,
      console_session_s: limits.consoleSession_ms / 1_000,
      console_confirm_s: limits.consoleConfirm_ms / 1_000,
      console_sessions_in: ctx.config.sessionStorage,
    };
  },
});

interface Counts {
  people_with_passkeys: number;
  people_with_codes: number;
}

async function countPeople(ctx: Context): Promise<Counts> {
  const counts = await ctx.db.auth.one<Counts>(
    `select
       (select count(*) from auth.accounts a
         where a.deactivated_at is null and exists (select from auth.passkeys p where p.user_id = a.user_id)) as people_with_passkeys,
       (select count(*) from auth.accounts a
         where a.deactivated_at is null and exists (
           select from auth.totp_secrets t where t.user_id = a.user_id and t.confirmed_at is not null)) as people_with_codes`,
  );
  return counts ?? { people_with_passkeys: 0, people_with_codes: 0 };
}

export const wayOperations: readonly Operation[] = [read];
