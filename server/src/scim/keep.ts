/** What a directory says of an account, written down in one statement with whether it lets the person in. See 0017_scim_suspensions.sql. */
import { afterEnding, type Ended, ENDED_COLUMNS } from "../auth/end-sessions.ts";
import type { Context } from "../context.ts";
import { refused } from "./answer.ts";
import type { Described } from "./described.ts";
import { saidOf } from "./people.ts";

interface Saying {
  userId: string;
  described: Described;
  /** The name of the token. */
  by: string;
  /** Of the provider whose people the directory's are. */
  issuer: string | undefined;
}

const CREATE = "select auth.scim_create($1, $2, $3, $4, $5, $6) as outcome";
const KEEP = `select outcome, ${ENDED_COLUMNS} from auth.scim_keep($1, $2, $3, $4, $5, $6, $7, $8)`;

function valuesOf({ userId, described, by, issuer }: Saying): unknown[] {
  return [userId, described.userName, described.externalId ?? null, saidOf(described), by, issuer ?? null];
}

/** Makes the account of somebody new. Throws 409 where there is one, or something of it is another's. */
export async function create(ctx: Context, saying: Saying): Promise<void> {
  const row = await ctx.db.auth.one<{ outcome: string }>(CREATE, valuesOf(saying));
  if (row?.outcome !== "done") throw inUse(row?.outcome ?? "");
}

/**
 * Keeps what is said of an account of which `version` was the last that was known. Gives `gone` where it has ended, and `stale` where another
 * request was faster; then nothing has changed. Throws 409 where something of it is another's.
 */
export async function keep(
  ctx: Context,
  { version, ...saying }: Saying & { version: number | null },
): Promise<"done" | "gone" | "stale"> {
  const { userId, described } = saying;
  const values = [...valuesOf(saying), version, described.active];
  const row = await ctx.db.auth.one<Ended & { outcome: string }>(KEEP, values);
  const outcome = row?.outcome ?? "";
  if (outcome === "gone" || outcome === "stale") return outcome;
  if (outcome !== "done") throw inUse(outcome);
  await afterEnding(ctx, userId, row);
  return outcome;
}

/** By what another account is in the way: constraints of 0016_scim.sql. */
const IN_USE: ReadonlyMap<string, string> = new Map([
  ["taken", "There is an account with the user name of this person already."],
  ["scim_people_user_name", "This userName is that of another account."],
  ["scim_people_external_id", "This externalId is that of another account."],
  ["external_ids_pkey", "Somebody else signs in as this externalId already."],
]);

export function inUse(what: string) {
  return refused(409, "uniqueness", IN_USE.get(what) ?? "Something of this person is another account's.");
}
