/** Messages from device to device. Specification: client-server-api, "Send-to-Device messaging". */
import { z } from "zod";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { route } from "../http.ts";
import { limits } from "../limits.ts";
import type { NewEntry } from "../log/entry.ts";
import { transactionOf } from "../messages/send-transaction.ts";
import { knownDevices } from "./known-devices.ts";
import { name, userId } from "./shapes.ts";

type Messages = Record<string, Record<string, Record<string, unknown>>>;

export const sendToDevice = route({
  method: "PUT",
  path: "/_matrix/client/v3/sendToDevice/:eventType/:txnId",
  access: "session",
  rate: "send",
  body: z.looseObject({ messages: z.record(userId, z.record(name, z.record(z.string(), z.unknown()))) }),
  bodyLimit_bytes: limits.keysBody_bytes,
  async handle({ params, session, body }, ctx) {
    const type = name.safeParse(params["eventType"]);
    if (!type.success)
      throw matrixError("M_INVALID_PARAM", "The type of a message is a text of 255 bytes at the most.");
    const transaction = transactionOf(session, ["sendToDevice", type.data], params["txnId"] as string);
    const entries = await entriesOf(ctx, body.messages, { sender: session.userId, type: type.data });
    // What one device sends arrives in the order in which it was sent.
    if (entries.length > 0)
      await ctx.log.append({
        lane: session.userId,
        transaction: { session: session.id, key: transaction.key, answer: "" },
        entries,
      });
    return {};
  },
});

/** One entry for each device, where `*` is all of a person's. What is sent to a device that nobody knows is dropped. */
async function entriesOf(
  ctx: Context,
  messages: Messages,
  { sender, type }: { sender: string; type: string },
): Promise<NewEntry[]> {
  const known = await knownDevices(ctx, Object.keys(messages));
  const entries: NewEntry[] = [];
  for (const [user, byDevice] of Object.entries(messages)) {
    const devices = known.get(user);
    if (!devices) continue;
    for (const [named, content] of Object.entries(byDevice)) {
      const body = messageText({ sender, type, content });
      // A device that is named gets what is for it alone.
      const targets = named === "*" ? [...devices.keys()].filter((each) => !Object.hasOwn(byDevice, each)) : [named];
      for (const device of targets)
        if (devices.has(device)) entries.push({ kind: "to_device", user, device, type, body });
    }
  }
  if (entries.length > limits.toDevice_messages)
    throw matrixError("M_TOO_LARGE", `At most ${limits.toDevice_messages} devices can be sent to at a time.`);
  return entries;
}

/** As the target's sync gives it. */
function messageText(message: { sender: string; type: string; content: object }): string {
  const text = JSON.stringify(message);
  if (Buffer.byteLength(text) <= limits.toDeviceMessage_bytes) return text;
  throw matrixError("M_TOO_LARGE", `A message may have ${limits.toDeviceMessage_bytes} bytes.`);
}
