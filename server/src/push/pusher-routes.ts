/** Pushers: where the notifications of a person go. Specification: client-server-api, push module, "Client behaviour". */
import { matrixError } from "../errors.ts";
import { route, type Route } from "../http.ts";
import { deletePusher, pushersOf, putPusher, type StoredPusher } from "./pusher-queries.ts";
import { pusherBody, wantedPusher } from "./pusher-shape.ts";

const getPushers = route({
  method: "GET",
  path: "/_matrix/client/v3/pushers",
  access: "session",
  handle: async ({ session }, ctx) => ({ pushers: (await pushersOf(ctx, session.userId)).map(shown) }),
});

const setPusher = route({
  method: "POST",
  path: "/_matrix/client/v3/pushers/set",
  access: "session",
  rate: "other",
  body: pusherBody,
  async handle({ session, body }, ctx) {
    const { userId } = session;
    // A pusher goes with its device, and an application service may act without one.
    if (session.deviceId === "")
      throw matrixError("M_MISSING_PARAM", "A pusher is that of a device: name it with device_id.");
    if (body.kind === null) await deletePusher(ctx, { userId, appId: body.app_id, pushkey: body.pushkey });
    else await putPusher(ctx, session, wantedPusher(ctx.config, body));
    return {};
  },
});

/** As MSC4174 has it, a pusher of Web Push says whether it is in use: here it is at once. */
function shown({ profile_tag, data, ...pusher }: StoredPusher): object {
  const tag = profile_tag === null ? {} : { profile_tag };
  const activated = pusher.kind === "webpush" ? { activated: true } : {};
  return { ...pusher, ...tag, ...activated, data: JSON.parse(data) as unknown };
}

export const pusherRoutes: readonly Route[] = [getPushers, setPusher];
