/** Pushers as operators see them: whose notifications go where, which gateways take none, and no key, address or content. */
import { z } from "zod";
import { cursorOf, readCursor } from "../console/cursor.ts";
import { operation, type Operation, pageOf, pageQuery, reasonSchema } from "../console/operation.ts";
import { time } from "../console/users/shapes.ts";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { tellDue } from "../worker/due.ts";
import { endpointIn } from "./pusher-shape.ts";

const pusher = z.object({
  pusher_id: z.int(),
  user_id: z.string(),
  kind: z.enum(["http", "webpush"]),
  app_id: z.string(),
  app: z.string().meta({ description: "What the app calls itself." }),
  device: z.string().meta({ description: "What the app calls the device." }),
  host: z
    .string()
    .nullable()
    .meta({ description: "Of its gateway or push service. The rest of the address is the device's own." }),
  waiting: z.int().meta({ description: "Notifications that are still to be sent." }),
  failures: z.int().meta({ description: "Tries that failed since the last that did not." }),
  failing_since_ts: time.nullable(),
  retry_ts: time.nullable().meta({ description: "When the next try is due; null where nothing waits." }),
  set_ts: time.meta({ description: "When the app set it last." }),
});

type Row = Omit<z.output<typeof pusher>, "host"> & { data: string };

const millis = (of: string) => `floor(extract(epoch from ${of}) * 1000)::bigint`;
const PUSHER = `p.pusher_id, p.user_id, p.kind, p.app_id, p.app_display_name as app, p.device_display_name as device, p.data, p.failures,
  ${millis("p.failing_since")} as failing_since_ts, ${millis("p.due_at")} as retry_ts, ${millis("p.set_at")} as set_ts,
  (select count(*) from push.queue q where q.pusher_id = p.pusher_id) as waiting`;

function shown({ data, ...row }: Row): z.output<typeof pusher> {
  const endpoint = endpointIn(JSON.parse(data) as Record<string, unknown>);
  return { ...row, host: (endpoint && URL.parse(endpoint)?.host) || null };
}

const list = operation({
  id: "pushers.list",
  method: "GET",
  path: "/pushers",
  summary: "Lists where the notifications of devices go, the newest first, and which gateways take none",
  role: "auditor",
  query: z.object({
    limit: pageQuery.limit,
    from: pageQuery.from,
    user_id: z.string().max(limits.identifier_bytes).optional(),
    failing: z.stringbool().optional(),
  }),
  answer: pageOf(pusher),
  command: {
    name: "pusher list",
    columns: ["pusher_id", "user_id", "app", "host", "waiting", "failures", "failing_since_ts"],
  },
  async handle({ query: { limit, from, user_id, failing } }, ctx) {
    const below = from === undefined ? null : readCursor(from, z.tuple([z.int()]))[0];
    const rows = await ctx.db.push.query<Row>(
      `select ${PUSHER} from push.pushers p
       where ($1::bigint is null or p.pusher_id < $1) and ($2::text is null or p.user_id = $2)
         and ($3::boolean is null or $3 = (p.failing_since is not null))
       order by p.pusher_id desc limit $4`,
      [below, user_id ?? null, failing ?? null, limit + 1],
    );
    const items = rows.slice(0, limit).map(shown);
    const last = rows.length > limit ? items.at(-1) : undefined;
    return { items, ...(last ? { next: cursorOf([last.pusher_id]) } : {}) };
  },
});

/** Throws M_INVALID_PARAM and M_NOT_FOUND. */
async function readPusher(ctx: Context, id: string): Promise<z.output<typeof pusher>> {
  if (!/^\d{1,15}$/.test(id)) throw matrixError("M_INVALID_PARAM", "A pusher is named by its number.");
  const row = await ctx.db.push.one<Row>(`select ${PUSHER} from push.pushers p where p.pusher_id = $1`, [Number(id)]);
  if (!row) throw matrixError("M_NOT_FOUND", "There is no such pusher: its device took it away meanwhile.");
  return shown(row);
}

/** What the audit log keeps of one. */
const traceOf = ({ user_id, app_id, device, host, failures }: z.output<typeof pusher>) => ({
  target: user_id,
  before: { app_id, device, host, failures },
});

const retry = operation({
  id: "pushers.retry",
  method: "POST",
  path: "/pushers/:pusherId/retry",
  summary: "Tries the gateway of a pusher now, and not when the pause since its last failure is over",
  role: "operator",
  body: z.object({ reason: reasonSchema.optional() }),
  answer: pusher,
  command: { name: "pusher retry", arguments: ["pusherId"] },
  async handle({ params: { pusherId }, audit }, ctx) {
    const found = await readPusher(ctx, pusherId);
    audit(traceOf(found));
    await ctx.db.push.change(
      "update push.pushers set due_at = least(due_at, now()) where pusher_id = $1 and due_at is not null",
      [found.pusher_id],
    );
    tellDue(ctx, "push", 0);
    return readPusher(ctx, pusherId);
  },
});

const remove = operation({
  id: "pushers.remove",
  method: "POST",
  path: "/pushers/:pusherId/remove",
  summary: "Removes a pusher with what waits for it: its device is told of nothing until its app sets it again",
  role: "operator",
  body: z.object({ reason: reasonSchema }),
  answer: pusher,
  command: { name: "pusher remove", arguments: ["pusherId"] },
  async handle({ params: { pusherId }, audit }, ctx) {
    const found = await readPusher(ctx, pusherId);
    audit(traceOf(found));
    await ctx.db.push.change("delete from push.pushers where pusher_id = $1", [found.pusher_id]);
    return found;
  },
});

export const pusherOperations: readonly Operation[] = [list, retry, remove];
