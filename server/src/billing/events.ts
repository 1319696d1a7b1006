/** Events of the payment provider: read from what arrived, and stored once, with one delivery for each handler. */
import { z } from "zod";
import type { Db } from "../db/database.ts";
import { idOf } from "./client.ts";
import { handlersOf } from "./handlers.ts";

type Writer = Omit<Db, "transaction">;

const reference = z.union([z.string(), z.looseObject({ id: z.string() })]).nullish();

/** What every event has of which we know; the rest is the handlers'. */
export const eventSchema = z.looseObject({
  id: z.string().min(1).max(255),
  type: z.string().min(1).max(255),
  created: z.int(),
  data: z.looseObject({
    object: z.looseObject({ id: z.string().nullish(), object: z.string(), customer: reference }),
  }),
});
export type BillingEvent = z.output<typeof eventSchema>;

/** Whose it is: undefined where it is about nobody. */
export function customerOf({ data: { object } }: BillingEvent): string | undefined {
  return object.object === "customer" ? (object.id ?? undefined) : idOf(object.customer);
}

export interface Arrived {
  event: BillingEvent;
  /** As it came. */
  body: string;
  source: "webhook" | "stream";
}

/** Stores an event that is not there yet. Gives whether it was new; either way it is there for good when this returns. */
export async function storeEvent(db: Writer, { event, body, source }: Arrived): Promise<boolean> {
  const row = await db.one<{ stored: number }>(
    `with stored as (
       insert into billing.events (event_id, type, object_id, created_at, body, source)
       values ($1, $2, $3, to_timestamp($4), $5, $6)
       on conflict (event_id) do nothing
       returning event_id
     ), delivered as (
       insert into billing.deliveries (event_id, handler)
       select stored.event_id, handler from stored cross join unnest($7::text[]) as handler
     )
     select count(*) as stored from stored`,
    [event.id, event.type, event.data.object.id ?? "", event.created, body, source, handlersOf(event.type)],
  );
  return row?.stored === 1;
}
