/**
 * What can be asked of delayed events, under the unstable names of MSC4140. Whoever has the id of one may restart, send or cancel it,
 * without being signed in: a call's own server does that for those who drop out. The ids can not be guessed.
 */
import { z } from "zod";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { route, type Route } from "../http.ts";
import { DELAYED_COLUMNS, type DelayedRow, endDelayed, isOvertaken, sendDelayed } from "./delayed-send.ts";

const PATH = "/_matrix/client/unstable/org.matrix.msc4140/delayed_events";
const actions = ["restart", "send", "cancel"] as const;
type Action = (typeof actions)[number];

const list = route({
  method: "GET",
  path: PATH,
  access: "session",
  rate: "other",
  async handle({ session }, ctx) {
    const rows = await ctx.db.rooms.query<DelayedRow>(
      `select ${DELAYED_COLUMNS} from rooms.delayed_events where user_id = $1 and ended_at is null order by send_at, delay_id`,
      [session.userId],
    );
    const told: object[] = [];
    for (const row of rows) if (!(await isOvertaken(ctx, row))) told.push(tell(row));
    return { delayed_events: told };
  },
});

const read = route({
  method: "GET",
  path: `${PATH}/:delayId`,
  access: "session",
  rate: "other",
  async handle({ session, params }, ctx) {
    const row = await find(ctx, params["delayId"] as string);
    if (row?.userId !== session.userId || (await isOvertaken(ctx, row))) throw noSuchEvent();
    return tell(row);
  },
});

function tell({ delayId, roomId, type, stateKey, content, delay_ms, runningSince }: DelayedRow): object {
  return {
    delay_id: delayId,
    room_id: roomId,
    type,
    ...(stateKey !== null && { state_key: stateKey }),
    delay: delay_ms,
    running_since: runningSince,
    content: JSON.parse(content) as object,
  };
}

function find(ctx: Context, delayId: string): Promise<DelayedRow | undefined> {
  return ctx.db.rooms.one<DelayedRow>(
    `select ${DELAYED_COLUMNS} from rooms.delayed_events where delay_id = $1 and ended_at is null`,
    [delayId],
  );
}

function noSuchEvent() {
  return matrixError("M_NOT_FOUND", "There is no such delayed event, or it was sent or cancelled already.");
}

const ACTS: Record<Action, (ctx: Context, delayId: string) => Promise<boolean>> = {
  cancel: endDelayed,
  async restart(ctx, delayId) {
    const sql = `update rooms.delayed_events set running_since = now(), send_at = now() + delay_ms * interval '1 millisecond', claimed_until = null
      where delay_id = $1 and ended_at is null and (claimed_until is null or claimed_until < now())`;
    return (await ctx.db.rooms.change(sql, [delayId])) > 0;
  },
  async send(ctx, delayId) {
    const row = await find(ctx, delayId);
    if (row) await sendDelayed(ctx, row);
    return row !== undefined;
  },
};

async function act(ctx: Context, delayId: string, action: Action): Promise<object> {
  if (!(await ACTS[action](ctx, delayId))) throw noSuchEvent();
  return {};
}

/** An address for each action, so that one which does not exist is an address that does not. */
const acting = actions.map((action) =>
  route({
    method: "POST",
    path: `${PATH}/:delayId/${action}`,
    access: "anyone",
    rate: "other",
    handle: ({ params }, ctx) => act(ctx, params["delayId"] as string, action),
  }),
);

/** How it was asked for first, and clients still do. */
const actingByBody = route({
  method: "POST",
  path: `${PATH}/:delayId`,
  access: "anyone",
  rate: "other",
  body: z.looseObject({ action: z.enum(actions) }),
  handle: ({ params, body }, ctx) => act(ctx, params["delayId"] as string, body.action),
});

export const delayedRoutes: readonly Route[] = [list, read, ...acting, actingByBody];
