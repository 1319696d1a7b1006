/** Devices: of one person, where they are sessions to end, and of everybody. */
import { z } from "zod";
import { endSessions } from "../../auth/end-sessions.ts";
import { readAccount } from "../../auth/for-operators.ts";
import { devicesOf, listAllDevices, type ListedDevice } from "../../auth/for-operators-devices.ts";
import { readDevice } from "../../auth/queries.ts";
import type { Context } from "../../context.ts";
import { matrixError } from "../../errors.ts";
import { verifiedDevices } from "../../keys/verified.ts";
import { limits } from "../../limits.ts";
import { storeOf } from "../bff/session.ts";
import { cursorOf, readCursor } from "../cursor.ts";
import { operation, type OperationRequest, pageOf, pageQuery, reasonSchema } from "../operation.ts";
import { each, outcome } from "./bulk.ts";
import { mayActOn } from "./may.ts";
import { time } from "./shapes.ts";

const device = z.object({
  user_id: z.string(),
  device_id: z.string(),
  display_name: z.string().nullable(),
  verified: z.boolean().meta({ description: "Whether its owner has verified it." }),
  bot: z.boolean().meta({ description: "Whether it is a token of a bot." }),
  last_seen_ts: time,
  last_seen_ip: z.string().nullable(),
  created_ts: time,
});

async function shownOf(ctx: Context, devices: readonly ListedDevice[]): Promise<z.output<typeof device>[]> {
  const people = [...new Set(devices.map(({ userId }) => userId))];
  const verified = new Set((await verifiedDevices(ctx, people)).map((each) => `${each.userId} ${each.deviceId}`));
  return devices.map((each) => ({
    user_id: each.userId,
    device_id: each.deviceId,
    display_name: each.displayName,
    verified: verified.has(`${each.userId} ${each.deviceId}`),
    bot: each.isBot,
    last_seen_ts: each.lastSeen_ms,
    last_seen_ip: each.lastSeenAddress,
    created_ts: each.created_ms,
  }));
}

const listSessions = operation({
  id: "users.sessions",
  method: "GET",
  path: "/users/:userId/sessions",
  summary: "Lists the devices on which a person is signed in",
  role: "auditor",
  answer: pageOf(device),
  command: { name: "user sessions", arguments: ["userId"] },
  async handle({ params: { userId } }, ctx) {
    if (!(await readAccount(ctx, userId))) throw matrixError("M_NOT_FOUND", "There is no such account.");
    return { items: await shownOf(ctx, await devicesOf(ctx, userId)) };
  },
});

type Asked = Pick<OperationRequest, "actor" | "audit">;

/** One's own devices anybody may end. */
async function endDevice(ctx: Context, { actor, audit }: Asked, at: { user_id: string; device_id: string }) {
  const { user_id: userId, device_id: deviceId } = at;
  if (userId !== actor.userId) await mayActOn(ctx, actor, userId);
  const before = await readDevice(ctx, userId, deviceId);
  if (!before) throw matrixError("M_NOT_FOUND", "There is no such device.");
  await endSessions(ctx, { userId, deviceIds: [deviceId] });
  audit({
    target: `${userId} ${deviceId}`,
    before: { display_name: before.displayName, last_seen_ts: before.lastSeen_ms },
  });
}

const endSession = operation({
  id: "users.end_session",
  method: "DELETE",
  path: "/users/:userId/sessions/:deviceId",
  summary: "Signs a device out, and takes its keys",
  role: "operator",
  query: z.object({ reason: reasonSchema }),
  answer: z.object({}),
  target: ({ params }) => `${params.userId} ${params.deviceId}`,
  command: { name: "user end-session", arguments: ["userId", "deviceId"] },
  async handle(request, ctx) {
    const { userId: user_id, deviceId: device_id } = request.params;
    await endDevice(ctx, request, { user_id, device_id });
    return {};
  },
});

const endAll = operation({
  id: "users.end_sessions",
  method: "DELETE",
  path: "/users/:userId/sessions",
  summary: "Signs a person out everywhere, in the console too",
  role: "operator",
  query: z.object({ reason: reasonSchema }),
  answer: z.object({ ended: z.int().meta({ description: "How many devices." }) }),
  command: { name: "user end-sessions", arguments: ["userId"] },
  async handle({ params: { userId }, actor, audit }, ctx) {
    if (userId !== actor.userId) await mayActOn(ctx, actor, userId);
    const before = await devicesOf(ctx, userId);
    await endSessions(ctx, { userId });
    await storeOf(ctx).deleteAll(userId);
    audit({ before: { devices: before.map(({ deviceId }) => deviceId) }, after: { devices: [] } });
    return { ended: before.length };
  },
});

const DAY_MS = 86_400_000;
const orders = { last_seen_ts: "last_seen_at", "-last_seen_ts": "-last_seen_at" } as const;

const listDevices = operation({
  id: "devices.list",
  method: "GET",
  path: "/devices",
  summary: "Lists the devices of everybody",
  role: "auditor",
  query: z.object({
    ...pageQuery,
    sort: z.enum(["last_seen_ts", "-last_seen_ts"]).default("-last_seen_ts"),
    verified: z.stringbool().optional(),
    bot: z.stringbool().optional().meta({ description: "Only tokens of bots, or none of them." }),
    unseen_days: z.coerce
      .number()
      .int()
      .min(1)
      .max(3_650)
      .optional()
      .meta({ description: "Not seen for so many days." }),
  }),
  answer: pageOf(device),
  command: { name: "device list", columns: ["user_id", "device_id", "display_name", "verified", "last_seen_ts"] },
  async handle({ query: { limit, from, q, sort, verified, bot, unseen_days } }, ctx) {
    const cursor = from === undefined ? undefined : readCursor(from, z.tuple([z.int(), z.int()]));
    let after = cursor && { lastSeen_us: cursor[0], sessionId: cursor[1] };
    const items: z.output<typeof device>[] = [];
    // A small page must not mean thousands of small questions.
    const batch = verified === undefined ? limit : limits.operatorPage_items;
    // Whether a device is verified is known elsewhere: pages are read until there are enough, or enough was looked at.
    for (let seen = 0; seen < limits.devicesScan_devices;) {
      const unseen_ms = unseen_days === undefined ? undefined : unseen_days * DAY_MS;
      const devices = await listAllDevices(ctx, orders[sort], {
        text: q || undefined,
        unseen_ms,
        isBot: bot,
        after,
        limit: batch + 1,
      });
      const shown = await shownOf(ctx, devices.slice(0, batch));
      for (const [i, each] of shown.entries()) {
        after = devices[i];
        if (verified === undefined || each.verified === verified) items.push(each);
        if (items.length === limit) break;
      }
      const isLast = devices.length <= batch && after?.sessionId === devices.at(-1)?.sessionId;
      if (isLast || devices.length === 0) return { items };
      if (items.length === limit) break;
      seen += shown.length;
    }
    return { items, ...(after ? { next: cursorOf([after.lastSeen_us, after.sessionId]) } : {}) };
  },
});

const place = z.object({
  user_id: z.string().max(limits.identifier_bytes),
  device_id: z.string().max(limits.identifier_bytes),
});

const endDevices = operation({
  id: "devices.end_many",
  method: "POST",
  path: "/devices/end",
  summary: "Signs several devices out",
  role: "operator",
  body: z.object({ devices: z.array(place.strict()).min(1).max(limits.bulk_items), reason: reasonSchema }),
  answer: pageOf(place.extend(outcome.shape)),
  target: ({ body }) => `${body.devices?.length ?? 0} devices`,
  command: { name: "device end-many", arguments: ["devices"] },
  async handle(request, ctx) {
    const { body, audit } = request;
    const target = (each: z.output<typeof place>) => `${each.user_id} ${each.device_id}`;
    return { items: await each({ things: body.devices, target, audit }, (one) => endDevice(ctx, request, one)) };
  },
});

export const deviceOperations = [listSessions, endSession, endAll, listDevices, endDevices];
