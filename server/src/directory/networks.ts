/** The room directories of application services. Specification: application-service-api, "Published room directories". */
import { z } from "zod";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { route } from "../http.ts";
import { limits } from "../limits.ts";
import { refreshPublished } from "./published.ts";

export interface Network {
  serviceId: string;
  networkId: string;
}

/** The network as clients name it: what stands as `instance_id` in the protocols, and in requests for public rooms. */
export function instanceId({ serviceId, networkId }: Network): string {
  return `${serviceId}|${networkId}`;
}

export const putNetworkVisibility = route({
  method: "PUT",
  path: "/_matrix/client/v3/directory/list/appservice/:networkId/:roomId",
  access: "service",
  rate: "create",
  body: z.looseObject({ visibility: z.enum(["public", "private"]) }),
  async handle({ params, session, body }, ctx) {
    const networkId = params["networkId"] as string;
    if (Buffer.byteLength(networkId) > limits.identifier_bytes)
      throw matrixError("M_INVALID_PARAM", `The id of a network has at most ${limits.identifier_bytes} bytes.`);
    const { roomId } = await ctx.rooms.load(params["roomId"] as string);
    const network = { serviceId: (session.service as { id: string }).id, networkId };
    await (body.visibility === "public" ? list : unlist)(ctx, network, roomId);
    return {};
  },
});

async function list(ctx: Context, { serviceId, networkId }: Network, roomId: string): Promise<void> {
  await ctx.db.rooms.change(
    `with room as (insert into rooms.published (room_id, in_main) values ($3, false) on conflict do nothing)
     insert into rooms.networks (service_id, network_id, room_id) values ($1, $2, $3) on conflict do nothing`,
    [serviceId, networkId, roomId],
  );
  await refreshPublished(ctx, [roomId]);
}

async function unlist(ctx: Context, { serviceId, networkId }: Network, roomId: string): Promise<void> {
  await ctx.db.rooms.change(
    `with gone as (
       delete from rooms.networks where service_id = $1 and network_id = $2 and room_id = $3 returning room_id
     )
     delete from rooms.published p using gone where p.room_id = gone.room_id and not p.in_main and not exists (
       select from rooms.networks n where n.room_id = p.room_id and (n.service_id, n.network_id) <> ($1, $2))`,
    [serviceId, networkId, roomId],
  );
}
