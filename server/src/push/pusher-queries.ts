/** Pushers in the database. */
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { tellDue } from "../worker/due.ts";
import type { PusherKind, WantedPusher } from "./pusher-shape.ts";

export interface StoredPusher {
  kind: PusherKind;
  app_id: string;
  pushkey: string;
  app_display_name: string;
  device_display_name: string;
  profile_tag: string | null;
  lang: string;
  data: string;
}

const SHOWN = "kind, app_id, pushkey, app_display_name, device_display_name, profile_tag, lang, data";

/** The person's pushers, the oldest first. */
export function pushersOf(ctx: Context, userId: string): Promise<StoredPusher[]> {
  return ctx.db.push.query<StoredPusher>(`select ${SHOWN} from push.pushers where user_id = $1 order by pusher_id`, [
    userId,
  ]);
}

interface PusherKey {
  userId: string;
  appId: string;
  pushkey: string;
}

/** Takes the pusher away, and with it what it was still to tell. */
export async function deletePusher(ctx: Context, { userId, appId, pushkey }: PusherKey): Promise<void> {
  const key = [userId, appId, pushkey];
  await ctx.db.push.change("delete from push.pushers where user_id = $1 and app_id = $2 and pushkey = $3", key);
}

/** A pusher that was silent because its gateway failed is tried at once: whoever sets it says that it is there. */
const PUT = `insert into push.pushers as p (user_id, session_id, kind, app_id, pushkey, app_display_name, device_display_name, profile_tag, lang, data, since)
  select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11
  on conflict (user_id, app_id, pushkey) do update
  set session_id = excluded.session_id, kind = excluded.kind, app_display_name = excluded.app_display_name,
      device_display_name = excluded.device_display_name, profile_tag = excluded.profile_tag, lang = excluded.lang,
      data = excluded.data, set_at = now(), failures = 0, failing_since = null, due_at = least(p.due_at, now())`;

const OTHERS = "delete from push.pushers where app_id = $1 and pushkey = $2 and user_id <> $3";

/** Adds the pusher or changes it. Only what is in the log behind this process's head goes through a new one. */
export async function putPusher(
  ctx: Context,
  session: { id: number; userId: string },
  wanted: WantedPusher,
): Promise<void> {
  const { kind, appId, pushkey, appName, deviceName, profileTag, lang, data } = wanted;
  const { userId } = session;
  await ctx.db.push.transaction(async (db) => {
    if (!wanted.isAppended) await db.query(OTHERS, [appId, pushkey, userId]);
    const names = [appId, pushkey, appName, deviceName, profileTag ?? null, lang];
    await db.query(PUT, [userId, session.id, kind, ...names, JSON.stringify(data), ctx.log.hub.head()]);
    const row = await db.one<{ count: number }>("select count(*) from push.pushers where user_id = $1", [userId]);
    if ((row?.count ?? 0) > limits.pushers)
      throw matrixError("M_TOO_LARGE", `You may have ${limits.pushers} pushers. Delete one that is not used any more.`);
  });
  tellDue(ctx, "push", 0);
}
