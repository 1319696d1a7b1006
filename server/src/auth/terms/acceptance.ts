/** Who has accepted which version of which policy, and when: kept in the moment in which the account is made, and never without it. */
import type { Context } from "../../context.ts";
import type { Versions } from "./policies.ts";

/**
 * A statement that makes the account of $1 and gives its `outcome`, and that keeps what was accepted where it was created: the last parameter,
 * see `accepted`.
 */
export function makingAccount(statement: string, parameter: `$${number}`): string {
  return `with made as (${statement}),
    kept as (
      insert into auth.accepted_policies (user_id, policy_id, version)
      select $1, p.key, p.value from made, jsonb_each_text(${parameter}::jsonb) p where made.outcome = 'created'
      on conflict do nothing
    )
    select * from made`;
}

/** The parameter of a statement by `makingAccount`. */
export function accepted(versions: Versions | undefined): string {
  return JSON.stringify(versions ?? {});
}

export interface AcceptedPolicy {
  policy_id: string;
  version: string;
  accepted_ts: number;
}

/** What somebody has accepted, the latest last. */
export function acceptedBy(ctx: Context, userId: string): Promise<AcceptedPolicy[]> {
  return ctx.db.auth.query<AcceptedPolicy>(
    `select policy_id, version, floor(extract(epoch from accepted_at) * 1000)::bigint as accepted_ts
     from auth.accepted_policies where user_id = $1 order by accepted_at, policy_id, version`,
    [userId],
  );
}

/** Of somebody who is erased. */
export async function eraseAcceptedPolicies(ctx: Context, userId: string): Promise<void> {
  await ctx.db.auth.change("delete from auth.accepted_policies where user_id = $1", [userId]);
}
