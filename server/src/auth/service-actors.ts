/** What is known of an account that an application service acts as. */
import type { Context } from "../context.ts";

export interface ActorRow {
  /** Null where there is no such device. */
  sessionId: number | null;
  isAdmin: boolean;
  isDeactivated: boolean;
  isLocked: boolean;
  isSuspended: boolean;
}

const ACCOUNT = `a.is_admin as "isAdmin", a.deactivated_at is not null as "isDeactivated", a.suspended_at is not null as "isLocked",
  a.read_only_at is not null as "isSuspended"`;

export interface Acted {
  serviceId: string;
  userId: string;
  deviceId: string | undefined;
}

/** The account that a service acts as, with the session of the device, or of the service where it names none; undefined where there is no account. */
export async function readActor(ctx: Context, { serviceId, userId, deviceId }: Acted): Promise<ActorRow | undefined> {
  if (deviceId !== undefined)
    return ctx.db.auth.one<ActorRow>(
      `select s.session_id as "sessionId", ${ACCOUNT} from auth.accounts a
       left join auth.sessions s on s.user_id = a.user_id and s.device_id = $2 and s.scopes is null where a.user_id = $1`,
      [userId, deviceId],
    );
  const read = () =>
    ctx.db.auth.one<ActorRow>(
      `select s.session_id as "sessionId", ${ACCOUNT} from auth.accounts a
       left join auth.service_sessions s on s.user_id = a.user_id and s.service_id = $2 where a.user_id = $1`,
      [userId, serviceId],
    );
  const row = await read();
  if (!row || row.sessionId !== null) return row;
  await ctx.db.auth.change(
    "insert into auth.service_sessions (service_id, user_id) values ($1, $2) on conflict do nothing",
    [serviceId, userId],
  );
  return read();
}
