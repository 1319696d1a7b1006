/** How often a device asks whether it was let in. */
import type { Context } from "../../context.ts";
import { limits } from "../../limits.ts";
import { tokenHash } from "../tokens.ts";

/**
 * Notes that the device has asked whether it is let in. Gives whether it did so too soon: from then on it is to wait
 * `limits.oauthPoll_s` longer than before. RFC 8628, section 3.5.
 */
export async function noteAsked(ctx: Context, deviceCode: string): Promise<boolean> {
  const row = await ctx.db.auth.one<{ isTooSoon: boolean }>(
    `with before as (
       select coalesce((payload->>'pollInterval_s')::numeric, $2) as interval_s, (payload->>'asked_s')::numeric as asked_s
       from auth.oauth_state where kind = 'DeviceCode' and id_hash = $1 for update),
     judged as (
       select interval_s, coalesce(extract(epoch from clock_timestamp()) - asked_s < interval_s - $3, false) as is_too_soon from before)
     update auth.oauth_state set payload = payload || jsonb_build_object(
       'asked_s', extract(epoch from clock_timestamp()),
       'pollInterval_s', case when is_too_soon then interval_s + $2 else interval_s end)
     from judged where kind = 'DeviceCode' and id_hash = $1 returning is_too_soon as "isTooSoon"`,
    [tokenHash(deviceCode), limits.oauthPoll_s, limits.oauthPollSlack_s],
  );
  return row?.isTooSoon ?? false;
}
