/** What operators are told of an application service: what its registration says, how far it was sent the log, and no token. */
import { z } from "zod";
import { time } from "../console/users/shapes.ts";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import type { Service } from "./service.ts";

export const serviceStates = ["idle", "sending", "failing", "silent"] as const;

export const serviceShape = z.object({
  id: z.string(),
  url: z.string().nullable().meta({ description: "Null where nothing is sent to it." }),
  sender: z.string().meta({ description: "Its own user." }),
  state: z.enum(serviceStates).meta({
    description:
      "idle: it has everything; sending: a transaction is on its way; failing: the last try failed; silent: it has no url.",
  }),
  position: z.int().nullable().meta({ description: "Up to which entry of the log it was sent what is for it." }),
  backlog: z.int().nullable().meta({ description: "Entries of the log between there and the end." }),
  transactions: z.int().nullable().meta({ description: "The number of its newest transaction." }),
  waiting_bytes: z.int().nullable().meta({ description: "The size of the transaction that is on its way." }),
  sent_ts: time.nullable().meta({ description: "When it last took a transaction." }),
  failures: z.int().meta({ description: "Tries that failed since then." }),
  failing_since_ts: time.nullable(),
  retry_ts: time.nullable().meta({ description: "When the next try is due." }),
  error: z.string().nullable().meta({ description: "What was wrong with the last try." }),
});

const namespaces = z.array(z.object({ regex: z.string(), exclusive: z.boolean() }));

export const registrationShape = serviceShape.extend({
  namespaces: z.object({ users: namespaces, aliases: namespaces, rooms: namespaces }),
  protocols: z.array(z.string()),
  rate_limited: z.boolean(),
  takes_ephemeral: z.boolean().meta({ description: "Whether it is sent receipts, typing and presence." }),
  takes_encryption: z
    .boolean()
    .meta({ description: "Whether it keeps keys of its users, and is sent what they need." }),
});

type Row = Omit<z.output<typeof serviceShape>, "url" | "sender" | "backlog" | "state">;

const millis = (of: string) => `floor(extract(epoch from ${of}) * 1000)::bigint`;

/** Throws M_NOT_FOUND. */
export function serviceOf(ctx: Context, id: string): Service {
  const service = ctx.services.byId(id);
  if (!service) throw matrixError("M_NOT_FOUND", "There is no application service of this id.");
  return service;
}

/** How these services are; those of which the worker has not heard yet too. */
export async function describeServices(
  ctx: Context,
  services: readonly Service[],
): Promise<z.output<typeof serviceShape>[]> {
  const rows = await ctx.db.appservice.query<Row>(
    `select service_id as id, position, transaction as transactions, octet_length(body) as waiting_bytes, failures,
       ${millis("sent_at")} as sent_ts, ${millis("failing_since")} as failing_since_ts, ${millis("retry_at")} as retry_ts, error
     from appservice.services where service_id = any ($1)`,
    [services.map(({ id }) => id)],
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  return services.map((each) => describe(each, byId.get(each.id), ctx.log.hub.head()));
}

const NOTHING = {
  position: null,
  transactions: null,
  waiting_bytes: null,
  sent_ts: null,
  failures: 0,
  failing_since_ts: null,
  retry_ts: null,
  error: null,
};

function describe({ id, url, sender }: Service, row: Row | undefined, head: number): z.output<typeof serviceShape> {
  const { position, ...place } = row ?? { ...NOTHING, id };
  const backlog = position === null ? null : Math.max(0, head - position);
  return { ...place, id, url: url ?? null, sender, state: stateOf(url, place), position, backlog };
}

function stateOf(url: string | undefined, { failures, waiting_bytes }: Pick<Row, "failures" | "waiting_bytes">) {
  if (url === undefined) return "silent";
  if (failures > 0) return "failing";
  return waiting_bytes === null ? "idle" : "sending";
}

/** One of them, with what its registration says. */
export async function describeRegistration(
  ctx: Context,
  service: Service,
): Promise<z.output<typeof registrationShape>> {
  const [place] = (await describeServices(ctx, [service])) as [z.output<typeof serviceShape>];
  const plain = (list: Service["users"]) => list.map(({ regex, exclusive }) => ({ regex, exclusive }));
  return {
    ...place,
    namespaces: { users: plain(service.users), aliases: plain(service.aliases), rooms: plain(service.rooms) },
    protocols: [...service.protocols],
    rate_limited: service.isRateLimited,
    takes_ephemeral: service.takesEphemeral,
    takes_encryption: service.takesEncryption,
  };
}
