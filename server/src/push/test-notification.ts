/** A try: something to be shown by a device whose pusher was just set, with nothing of any room in it. See docs/protocol/push.md. */
import { z } from "zod";
import { matrixError } from "../errors.ts";
import { route } from "../http.ts";
import { limits } from "../limits.ts";
import { tellDue } from "../worker/due.ts";

const ADD = `with own as (
    update push.pushers set due_at = now(), failures = 0, failing_since = null
    where user_id = $1 and app_id = $2 and pushkey = $3 returning pusher_id)
  insert into push.queue (pusher_id, what) select pusher_id, 'test' from own`;

export const sendTest = route({
  method: "POST",
  path: "/_parley/client/v1/push/test",
  access: "session",
  rate: "report",
  body: z.looseObject({
    app_id: z.string().max(limits.pusherAppId_characters),
    pushkey: z.string().max(limits.pushkey_bytes),
  }),
  async handle({ session, body }, ctx) {
    const added = await ctx.db.push.change(ADD, [session.userId, body.app_id, body.pushkey]);
    if (added === 0) throw matrixError("M_NOT_FOUND", "You have no pusher with this app_id and pushkey.");
    tellDue(ctx, "push", 0);
    return {};
  },
});
