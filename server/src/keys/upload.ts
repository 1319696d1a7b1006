/** A device publishes its keys. Specification: client-server-api, "POST /keys/upload". */
import { z } from "zod";
import { matrixError } from "../errors.ts";
import { route } from "../http.ts";
import { limits } from "../limits.ts";
import { reached } from "./reached.ts";
import type { Counts } from "./counts.ts";
import { deviceKeys, preKeys } from "./shapes.ts";
import { refusal, uploadParameters } from "./upload-parameters.ts";

const body = z.looseObject({
  device_keys: deviceKeys.nullish(),
  one_time_keys: preKeys.nullish(),
  fallback_keys: preKeys.nullish(),
});

interface Uploaded {
  outcome: "stored" | "conflict" | "full";
  name: string;
  key: string;
  counts: string;
  position: number | null;
}

export const uploadKeys = route({
  method: "POST",
  path: "/_matrix/client/v3/keys/upload",
  access: "session",
  rate: "keys",
  body,
  bodyLimit_bytes: limits.keysBody_bytes,
  async handle({ session, body }, ctx) {
    const { userId, deviceId } = session;
    if (deviceId === "") throw matrixError("M_MISSING_PARAM", "Keys are those of a device: name it with device_id.");
    const named = body.device_keys;
    if (named && (named.user_id !== userId || named.device_id !== deviceId))
      throw matrixError("M_BAD_JSON", `"device_keys" must name the user and the device of the access token.`);
    const row = await ctx.db.keys.one<Uploaded>(
      `select outcome, name, key, counts, "position"
       from keys.upload($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
      [userId, deviceId, ...uploadParameters(body)],
    );
    if (row?.outcome !== "stored") throw refusal(row, body.one_time_keys);
    await reached(ctx, row.position);
    const counts = JSON.parse(row.counts) as Counts;
    return { one_time_key_counts: { signed_curve25519: 0, ...counts.device_one_time_keys_count } };
  },
});
