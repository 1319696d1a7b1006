/** Application services as operators see them: what is registered, and how far each was sent what is for it. */
import { z } from "zod";
import { operation, type Operation } from "../console/operation.ts";
import { time } from "../console/users/shapes.ts";
import type { Context } from "../context.ts";
import type { Service } from "./service.ts";

const service = z.object({
  id: z.string(),
  url: z.string().nullable().meta({ description: "Null where nothing is sent to it." }),
  sender: z.string().meta({ description: "Its own user." }),
  backlog: z.int().nullable().meta({ description: "Entries of the log between what it was sent and the end." }),
  transactions: z.int().nullable().meta({ description: "The number of its newest transaction." }),
  sent_ts: time.nullable().meta({ description: "When it last took a transaction." }),
  failures: z.int().meta({ description: "Tries that failed since then." }),
  failing_since_ts: time.nullable(),
  retry_ts: time.nullable().meta({ description: "When the next try is due." }),
  error: z.string().nullable().meta({ description: "What was wrong with the last try." }),
});

type Row = Omit<z.output<typeof service>, "url" | "sender" | "backlog"> & { position: number };

const millis = (of: string) => `floor(extract(epoch from ${of}) * 1000)::bigint`;

/** Rows of services that are no longer registered are not among them. */
async function listServices(ctx: Context): Promise<z.output<typeof service>[]> {
  const services = ctx.services.all();
  const rows = await ctx.db.appservice.query<Row>(
    `select service_id as id, position, transaction as transactions, ${millis("sent_at")} as sent_ts, failures,
       ${millis("failing_since")} as failing_since_ts, ${millis("retry_at")} as retry_ts, error
     from appservice.services where service_id = any ($1)`,
    [services.map(({ id }) => id)],
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  return services.map((each) => describe(each, byId.get(each.id), ctx.log.hub.head()));
}

const NOTHING = { transactions: null, sent_ts: null, failures: 0, failing_since_ts: null, retry_ts: null, error: null };

function describe({ id, url, sender }: Service, row: Row | undefined, head: number): z.output<typeof service> {
  const known = { id, url: url ?? null, sender };
  if (!row) return { ...known, backlog: null, ...NOTHING };
  const { position, ...place } = row;
  return { ...known, backlog: Math.max(0, head - position), ...place };
}

export const appserviceOperations: readonly Operation[] = [
  operation({
    id: "appservices.list",
    method: "GET",
    path: "/appservices",
    summary: "Lists the application services (bridges), how far behind each is, and what is wrong",
    role: "auditor",
    query: z.object({}),
    answer: z.object({ items: z.array(service) }),
    command: {
      name: "appservice list",
      arguments: [],
      columns: ["id", "url", "backlog", "sent_ts", "failures", "error"],
    },
    handle: async (_request, ctx) => ({ items: await listServices(ctx) }),
  }),
];
