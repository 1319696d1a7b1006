/**
 * A device without a session, that takes room keys while its person has no other. Proposal MSC3814, as clients call it under the
 * prefix org.matrix.msc3814.v1. It is among the person's devices for others, and goes when the next one takes its place.
 */
import { z } from "zod";
import { readDevice } from "../auth/queries.ts";
import { matrixError } from "../errors.ts";
import { encoded, route } from "../http.ts";
import { limits } from "../limits.ts";
import { dropMessages } from "./forget.ts";
import { reached } from "./reached.ts";
import { deviceKeys, name, preKeys } from "./shapes.ts";
import { refusal, uploadParameters } from "./upload-parameters.ts";

const PATH = "/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device";

const body = z.looseObject({
  device_id: name,
  initial_device_display_name: name.nullish(),
  device_data: z.record(z.string(), z.unknown()),
  device_keys: deviceKeys,
  one_time_keys: preKeys.nullish(),
  fallback_keys: preKeys.nullish(),
});

interface Put {
  outcome: "stored" | "conflict" | "full";
  name: string;
  key: string;
  position: number | null;
  /** The device whose place it took. */
  replaced: string | null;
}

export const putDehydrated = route({
  method: "PUT",
  path: PATH,
  access: "session",
  rate: "keys",
  body,
  bodyLimit_bytes: limits.keysBody_bytes,
  async handle({ session: { userId }, body }, ctx) {
    const { device_id, device_keys } = body;
    if (device_keys.user_id !== userId || device_keys.device_id !== device_id)
      throw matrixError("M_BAD_JSON", `"device_keys" must name the user and the device that is uploaded.`);
    if (await readDevice(ctx, userId, device_id))
      throw matrixError("M_INVALID_PARAM", "One of your other devices has this id.");
    const row = await ctx.db.keys.one<Put>(
      `select outcome, name, key, "position", replaced
       from keys.put_dehydrated($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
      [
        userId,
        device_id,
        body.initial_device_display_name ?? null,
        dataText(body.device_data),
        ...uploadParameters(body),
      ],
    );
    if (row?.outcome !== "stored") throw refusal(row, body.one_time_keys);
    if (row.replaced !== null) await dropMessages(ctx, userId, [row.replaced]);
    await reached(ctx, row.position);
    return { device_id };
  },
});

export const getDehydrated = route({
  method: "GET",
  path: PATH,
  access: "session",
  rate: "keys",
  async handle({ session }, ctx) {
    const row = await ctx.db.keys.one<{ deviceId: string; data: string }>(
      `select device_id as "deviceId", device_data as data from keys.dehydrated_devices where user_id = $1`,
      [session.userId],
    );
    if (!row) throw noDevice();
    return encoded(`{"device_id":${JSON.stringify(row.deviceId)},"device_data":${row.data}}`);
  },
});

export const deleteDehydrated = route({
  method: "DELETE",
  path: PATH,
  access: "session",
  rate: "keys",
  async handle({ session: { userId } }, ctx) {
    const row = await ctx.db.keys.one<{ deviceId: string; position: number }>(
      `select device_id as "deviceId", "position" from keys.delete_dehydrated($1)`,
      [userId],
    );
    if (!row) throw noDevice();
    await dropMessages(ctx, userId, [row.deviceId]);
    await reached(ctx, row.position);
    return { device_id: row.deviceId };
  },
});

function dataText(data: object): string {
  const text = JSON.stringify(data);
  if (Buffer.byteLength(text) <= limits.dehydratedDevice_bytes) return text;
  throw matrixError("M_TOO_LARGE", `"device_data" may have ${limits.dehydratedDevice_bytes} bytes.`);
}

function noDevice() {
  return matrixError("M_NOT_FOUND", "You have no dehydrated device.");
}
