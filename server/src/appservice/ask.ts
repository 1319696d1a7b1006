/**
 * Asking services for users and rooms that are not here yet: they make them while somebody waits. Specification:
 * application-service-api, "Querying". The same question is on its way once, and one that was just answered with no is not asked again.
 */
import { LRUCache } from "lru-cache";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { pause } from "../seams.ts";
import { askService, type Reply, Unreached } from "./client.ts";
import type { Service } from "./service.ts";

/** Whether a service says that the user exists, and so has made it. Throws M_UNKNOWN, 408, where one that should know can not be reached. */
export function makeUser(ctx: Context, userId: string): Promise<boolean> {
  const asked = ctx.services.all().filter((service) => service.url !== undefined && service.user(userId) !== "no");
  return ask(ctx, asked, `/users/${encodeURIComponent(userId)}`);
}

/** As `makeUser`, for the room of an alias. */
export function makeRoom(ctx: Context, alias: string): Promise<boolean> {
  const asked = ctx.services.all().filter((service) => service.url !== undefined && service.alias(alias) !== "no");
  return ask(ctx, asked, `/rooms/${encodeURIComponent(alias)}`);
}

interface Memory {
  underWay: Map<string, Promise<boolean>>;
  /** What nobody knew, and until when that counts, on the monotonic clock. */
  unknown: LRUCache<string, number>;
}

const memories = new WeakMap<Context, Memory>();

function memoryOf(ctx: Context): Memory {
  const known = memories.get(ctx) ?? { underWay: new Map(), unknown: new LRUCache({ max: limits.serviceUnknown }) };
  memories.set(ctx, known);
  return known;
}

async function ask(ctx: Context, services: readonly Service[], path: string): Promise<boolean> {
  if (services.length === 0) return false;
  const { underWay, unknown } = memoryOf(ctx);
  if ((unknown.get(path) ?? 0) > ctx.seams.monotonic_ms()) return false;
  const begun = underWay.get(path);
  if (begun) return begun;
  const asking = askEach(ctx, services, path).finally(() => underWay.delete(path));
  underWay.set(path, asking);
  const isThere = await asking;
  if (!isThere) unknown.set(path, ctx.seams.monotonic_ms() + limits.serviceUnknown_ms);
  return isThere;
}

async function askEach(ctx: Context, services: readonly Service[], path: string): Promise<boolean> {
  let isAway = false;
  for (const service of services) {
    const reply = await askAgain(ctx, service, path);
    if (reply && reply.status >= 200 && reply.status < 300) return true;
    isAway ||= reply === undefined;
  }
  if (!isAway) return false;
  throw matrixError("M_UNKNOWN", "The application service that would know can not be reached. Try again later.", {
    status: 408,
  });
}

/** Specification: a server asks several times before it gives up. Undefined where no answer came. */
async function askAgain(ctx: Context, service: Service, path: string): Promise<Reply | undefined> {
  for (let tries = 1; ; tries++) {
    try {
      return await askService(ctx, service, { method: "GET", path, timeout_ms: limits.serviceQuestion_ms, legacy: "" });
    } catch (thrown) {
      if (!(thrown instanceof Unreached)) throw thrown;
      if (tries >= limits.serviceQuestion_tries) return undefined;
      await pause(ctx.seams, limits.serviceQuestionAgain_ms);
    }
  }
}
