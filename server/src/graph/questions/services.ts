/**
 * Application services are not members of the rooms that they are sent: a pattern in a registration, or one of their users in the room,
 * is enough. Their registrations are files and not in the graph, so this is added to the answer.
 */
import { openInterest } from "../../appservice/interest.ts";
import type { Service } from "../../appservice/service.ts";
import type { Context } from "../../context.ts";
import { edge, type Found } from "../answer.ts";

/** The answer, with the services that are sent what happens in this room now. */
export async function withServices(found: Found, ctx: Context, roomId: string): Promise<Found> {
  const services = await servicesIn(ctx, roomId);
  if (services.length === 0) return found;
  const nodeOf = ({ id }: Service) => `service ${id}`;
  return {
    ...found,
    details: [
      ...(found.details ?? []),
      ...services.map(({ id, sender }) => `The application service ${id} (${sender}) is sent what happens in it.`),
    ],
    nodes: [
      ...found.nodes.slice(0, 1),
      ...services.map((each) => ({
        id: nodeOf(each),
        type: "service",
        label: each.id,
        properties: { user_id: each.sender },
      })),
      ...found.nodes.slice(1),
    ],
    edges: [
      ...services.map((each) => edge("is_sent", [roomId, nodeOf(each)], { label: "is sent to" })),
      ...found.edges,
    ],
  };
}

async function servicesIn(ctx: Context, roomId: string): Promise<Service[]> {
  const at = { roomId, position: ctx.log.hub.head() };
  const found: Service[] = [];
  for (const service of ctx.services.all()) {
    // Without an address a service is sent nothing.
    if (service.url !== undefined && (await openInterest(ctx, service).isIn(at))) found.push(service);
  }
  return found;
}
