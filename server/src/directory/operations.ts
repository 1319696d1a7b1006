/** The reports of members, for operators: who reported what, when and why. What the reported event says is not shown. */
import { z } from "zod";
import { cursorOf, readCursor } from "../console/cursor.ts";
import { operation, type Operation, pageOf, pageQuery } from "../console/operation.ts";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";

const report = z.object({
  report_id: z.int(),
  kind: z.enum(["event", "room", "user"]),
  reported_ts: z.int(),
  reporter: z.string(),
  room_id: z.string().nullable(),
  event_id: z.string().nullable(),
  user_id: z.string().nullable().meta({ description: "Who is reported, or who sent the reported event." }),
  event: z
    .object({ type: z.string(), origin_server_ts: z.int() })
    .nullable()
    .meta({ description: "Of the reported event, where it is still there." }),
  reason: z.string(),
  state: z.enum(["open", "resolved"]),
  resolved_ts: z.int().nullable(),
  resolved_by: z.string().nullable(),
  note: z.string().nullable(),
});

type Report = z.output<typeof report>;

const COLUMNS = `report_id, case when event_id is not null then 'event' when room_id is not null then 'room' else 'user' end as kind,
  floor(extract(epoch from reported_at) * 1000)::bigint as reported_ts, reporter, room_id, event_id, user_id, reason,
  case when resolved_at is null then 'open' else 'resolved' end as state,
  floor(extract(epoch from resolved_at) * 1000)::bigint as resolved_ts, resolved_by, note`;

const PAGE = `select ${COLUMNS} from rooms.reports
  where ($1::text is null or (resolved_at is null) = ($1 = 'open'))
    and ($2::text is null or room_id = $2) and ($3::text is null or user_id = $3) and ($4::text is null or reporter = $4)
    and ($5::bigint is null or report_id < $5)
  order by report_id desc limit $6`;

/** With the type and time of the events that they are about. */
async function withEvents(ctx: Context, rows: readonly Omit<Report, "event">[]): Promise<Report[]> {
  const events = await ctx.db.log.query<{ event_id: string; type: string; origin_server_ts: number }>(
    "select event_id, type, ts as origin_server_ts from log.entries where event_id = any ($1) and kind = 'event'",
    [rows.flatMap(({ event_id }) => event_id ?? [])],
  );
  const known = new Map(events.map(({ event_id, ...event }) => [event_id, event]));
  return rows.map((row) => ({ ...row, event: known.get(row.event_id ?? "") ?? null }));
}

async function readReport(ctx: Context, text: string): Promise<Report> {
  const rows = /^\d{1,15}$/.test(text)
    ? await ctx.db.rooms.query<Omit<Report, "event">>(`select ${COLUMNS} from rooms.reports where report_id = $1`, [
        text,
      ])
    : [];
  const [found] = await withEvents(ctx, rows);
  if (!found) throw matrixError("M_NOT_FOUND", `There is no report ${text}.`);
  return found;
}

const list = operation({
  id: "reports.list",
  method: "GET",
  path: "/reports",
  summary: "Lists what members reported, the newest first",
  role: "auditor",
  query: z.object({
    limit: pageQuery.limit,
    from: pageQuery.from,
    state: z.enum(["open", "resolved"]).optional(),
    room_id: z.string().max(255).optional(),
    user_id: z.string().max(255).optional(),
    reporter: z.string().max(255).optional(),
  }),
  answer: pageOf(report),
  command: {
    name: "report list",
    columns: ["report_id", "kind", "state", "reported_ts", "reporter", "room_id", "user_id", "reason"],
  },
  async handle({ query: { limit, from, state, room_id, user_id, reporter } }, ctx) {
    const before = from === undefined ? null : readCursor(from, z.tuple([z.int()]))[0];
    const filter = [state ?? null, room_id ?? null, user_id ?? null, reporter ?? null];
    const rows = await ctx.db.rooms.query<Omit<Report, "event">>(PAGE, [...filter, before, limit + 1]);
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    return {
      items: await withEvents(ctx, rows.slice(0, limit)),
      ...(last ? { next: cursorOf([last.report_id]) } : {}),
    };
  },
});

const read = operation({
  id: "reports.read",
  method: "GET",
  path: "/reports/:reportId",
  summary: "Shows a report",
  role: "auditor",
  answer: report,
  command: { name: "report show", arguments: ["reportId"] },
  handle: ({ params: { reportId } }, ctx) => readReport(ctx, reportId),
});

const resolve = operation({
  id: "reports.resolve",
  method: "POST",
  path: "/reports/:reportId/resolve",
  summary: "Marks a report as dealt with",
  role: "operator",
  body: z.object({
    note: z.string().trim().min(1).max(2_000).meta({ description: "What was done, or why nothing was." }),
  }),
  answer: report,
  command: { name: "report resolve", arguments: ["reportId"] },
  async handle({ params: { reportId }, body, actor, audit }, ctx) {
    const before = await readReport(ctx, reportId);
    const changed = await ctx.db.rooms.change(
      "update rooms.reports set resolved_at = now(), resolved_by = $2, note = $3 where report_id = $1 and resolved_at is null",
      [before.report_id, actor.userId, body.note],
    );
    if (changed === 0)
      throw matrixError("M_INVALID_PARAM", `${before.resolved_by} has dealt with it already.`, { status: 409 });
    audit({ before: { state: "open" }, after: { state: "resolved", note: body.note } });
    return readReport(ctx, reportId);
  },
});

const reopen = operation({
  id: "reports.reopen",
  method: "POST",
  path: "/reports/:reportId/reopen",
  summary: "Opens a report again",
  role: "operator",
  answer: report,
  command: { name: "report reopen", arguments: ["reportId"] },
  async handle({ params: { reportId }, audit }, ctx) {
    const before = await readReport(ctx, reportId);
    await ctx.db.rooms.change(
      "update rooms.reports set resolved_at = null, resolved_by = null, note = null where report_id = $1",
      [before.report_id],
    );
    audit({
      before: { state: before.state, resolved_by: before.resolved_by, note: before.note },
      after: { state: "open" },
    });
    return readReport(ctx, reportId);
  },
});

export const reportOperations: readonly Operation[] = [list, read, resolve, reopen];
