/** Whose an address is. */
import type { Context } from "../../context.ts";
import { matrixError } from "../../errors.ts";
import { limits } from "../../limits.ts";

export interface BoundAddress {
  medium: string;
  address: string;
  validated_at: number;
  added_at: number;
}

const millis = (column: string) => `floor(extract(epoch from ${column}) * 1000)::bigint`;

export function addressesOf(ctx: Context, userId: string): Promise<BoundAddress[]> {
  return ctx.db.auth.query<BoundAddress>(
    `select medium, address, ${millis("validated_at")} as validated_at, ${millis("added_at")} as added_at
     from auth.third_party_ids where user_id = $1 order by added_at, address`,
    [userId],
  );
}

/** The e-mail addresses of these people, in the order in which they came; whoever has none is not in it. */
export async function emailsOf(ctx: Context, userIds: readonly string[]): Promise<Map<string, string[]>> {
  const rows = await ctx.db.auth.query<{ userId: string; emails: string[] }>(
    `select user_id as "userId", array_agg(address order by added_at, address) as emails from auth.third_party_ids
     where medium = 'email' and user_id = any ($1) group by user_id`,
    [userIds],
  );
  return new Map(rows.map(({ userId, emails }) => [userId, emails]));
}

/** Who has an address that holds this text, in lower case. */
export async function findByEmail(ctx: Context, text: string, limit: number): Promise<string[]> {
  const rows = await ctx.db.auth.query<{ userId: string }>(
    `select distinct user_id as "userId" from auth.third_party_ids where medium = 'email' and strpos(address, $1) > 0 limit $2`,
    [text, limit],
  );
  return rows.map(({ userId }) => userId);
}

/** Whose the folded address is; undefined where it is nobody's. */
export async function ownerOfAddress(ctx: Context, address: string): Promise<string | undefined> {
  const sql = `select user_id as "userId" from auth.third_party_ids where medium = 'email' and address = $1`;
  return (await ctx.db.auth.one<{ userId: string }>(sql, [address]))?.userId;
}

/** Adds an address that was proved. Throws M_THREEPID_IN_USE where it is another's, and M_RESOURCE_LIMIT_EXCEEDED. */
export async function bindAddress(ctx: Context, userId: string, address: string): Promise<void> {
  const row = await ctx.db.auth.one<{ owner: string | null }>(
    `with made as (
       insert into auth.third_party_ids (medium, address, user_id, validated_at)
       select 'email', $2, $1, now() where (select count(*) from auth.third_party_ids where user_id = $1) < $3
       on conflict do nothing returning user_id
     )
     select coalesce((select user_id from made), (select user_id from auth.third_party_ids where medium = 'email' and address = $2)) as owner`,
    [userId, address, limits.emailAddresses],
  );
  // Whoever adds it at the same moment is not seen by the statement that waited for them.
  const owner = row?.owner ?? (await ownerOfAddress(ctx, address));
  if (owner === userId) return;
  if (owner === undefined)
    throw matrixError("M_RESOURCE_LIMIT_EXCEEDED", `An account has at most ${limits.emailAddresses} addresses.`);
  throw inUse();
}

/** Takes the address away, where it is this person's. */
export async function removeAddress(ctx: Context, userId: string, address: string): Promise<void> {
  await ctx.db.auth.change(
    "delete from auth.third_party_ids where user_id = $1 and medium = 'email' and address = $2",
    [userId, address],
  );
}

/** Of an account that ends. */
export async function removeAddresses(ctx: Context, userId: string): Promise<void> {
  await ctx.db.auth.change("delete from auth.third_party_ids where user_id = $1", [userId]);
}

export function inUse() {
  return matrixError("M_THREEPID_IN_USE", "This address belongs to an account here already.");
}
