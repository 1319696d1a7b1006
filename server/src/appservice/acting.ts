/**
 * Whom a request of an application service is made as. Specification: application-service-api, "Identity assertion". The users of a
 * service have no tokens, so nothing here is a session of the auth domain but a device that the service names. What was found out is
 * remembered for a moment; the end of a session takes all of it away at once.
 */
import { LRUCache } from "lru-cache";
import { accountLocked } from "../auth/moderation.ts";
import { readActor } from "../auth/service-actors.ts";
import { atMost } from "../bounded.ts";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import type { Session } from "../http.ts";
import { limits } from "../limits.ts";
import { readHead } from "../log/queries.ts";
import type { Point } from "../log/token.ts";
import type { Service } from "./service.ts";

export interface Acting {
  service: Service;
  /** Of the request: `user_id` and `device_id`. */
  query: unknown;
  address: string;
}

/**
 * The session of a request that carries the service's token. Throws M_FORBIDDEN for a user who is not its own or was never
 * registered, and M_UNKNOWN_DEVICE.
 */
export async function actAs(ctx: Context, { service, query, address }: Acting): Promise<Session> {
  const { user_id: user = service.sender, ...asked } = (query ?? {}) as Record<string, unknown>;
  const device = asked["device_id"] ?? asked["org.matrix.msc3202.device_id"];
  if (typeof user !== "string" || service.user(user) === "no")
    throw matrixError("M_FORBIDDEN", `The application service ${service.id} may not act as this user.`);
  if (device !== undefined && typeof device !== "string")
    throw matrixError("M_INVALID_PARAM", "device_id stands in the query more than once.");
  const actor = await actorOf(ctx, service, { userId: user, deviceId: device });
  if (device !== undefined) ctx.noteSeen(actor.sessionId, address);
  return {
    id: actor.sessionId,
    userId: user,
    deviceId: device ?? "",
    isAdmin: actor.isAdmin,
    asOf: actor.asOf,
    ...(actor.isSuspended ? { isSuspended: true } : {}),
    service: { id: service.id, isUnlimited: !service.isRateLimited || user === service.sender },
  };
}

interface Asked {
  userId: string;
  deviceId: string | undefined;
}

interface Actor {
  sessionId: number;
  isAdmin: boolean;
  isSuspended: boolean;
  /** The point of the log at which this was read. */
  asOf: Point;
}

interface Remembered {
  actor: Actor;
  until_ms: number;
}

const memories = new WeakMap<Context, LRUCache<string, Remembered>>();

function memoryOf(ctx: Context): LRUCache<string, Remembered> {
  const known = memories.get(ctx);
  if (known) return known;
  const memory = new LRUCache<string, Remembered>(atMost(limits.serviceActors));
  memories.set(ctx, memory);
  ctx.log.hub.listen((entries) => {
    if (entries.some(({ kind, type }) => kind === "session" && type !== "one_time_keys")) memory.clear();
  });
  return memory;
}

async function actorOf(ctx: Context, service: Service, asked: Asked): Promise<Actor> {
  const memory = memoryOf(ctx);
  const key = JSON.stringify([service.id, asked.userId, asked.deviceId]);
  const known = memory.get(key);
  const now_ms = ctx.seams.monotonic_ms();
  // A process that has not heard the log may have missed an ending.
  const isBlind = now_ms - ctx.log.hub.heard_ms() > limits.sessionBlind_ms;
  if (known && known.until_ms > now_ms && !isBlind) return known.actor;
  const head = ctx.log.hub.head();
  const actor = await find(ctx, service, asked);
  // One whose session ended while it was read must not be remembered after its ending was heard.
  if (ctx.log.hub.head() === head) memory.set(key, { actor, until_ms: now_ms + limits.serviceActor_ms });
  return actor;
}

async function find(ctx: Context, service: Service, asked: Asked): Promise<Actor> {
  const ask = { serviceId: service.id, ...asked };
  const asOf = await readHead(ctx.db.log);
  let actor = await readActor(ctx, ask);
  if (!actor && asked.userId === service.sender) {
    // Loaded when it is wanted: every process knows who asks, and most make no accounts.
    const { createServiceAccount } = await import("../auth/service-accounts.ts");
    await createServiceAccount(ctx, service.sender);
    actor = await readActor(ctx, ask);
  }
  if (!actor) throw matrixError("M_FORBIDDEN", `${asked.userId} has not been registered by its application service.`);
  if (actor.isDeactivated) throw matrixError("M_USER_DEACTIVATED", "This account has been deactivated.");
  if (actor.isLocked) throw accountLocked();
  const { sessionId, isAdmin, isSuspended } = actor;
  if (sessionId === null)
    throw matrixError("M_UNKNOWN_DEVICE", `${asked.userId} has no device ${asked.deviceId ?? ""}.`);
  return { sessionId, isAdmin, isSuspended, asOf };
}
