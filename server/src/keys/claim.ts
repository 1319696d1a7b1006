/** Claims one-time keys of others' devices. Specification: client-server-api, "POST /keys/claim". */
import { z } from "zod";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { route } from "../http.ts";
import { limits } from "../limits.ts";
import { reached } from "./reached.ts";
import { name, userId } from "./shapes.ts";

interface Wanted {
  userId: string;
  deviceId: string;
  algorithm: string;
}

interface Claimed extends Wanted {
  keyId: string;
  /** JSON. */
  key: string;
  position: number | null;
}

export const claimKeys = route({
  method: "POST",
  path: "/_matrix/client/v3/keys/claim",
  access: "session",
  rate: "claim",
  body: z.looseObject({ one_time_keys: z.record(userId, z.record(name, name)) }),
  async handle({ session, body }, ctx) {
    const wanted = Object.entries(body.one_time_keys).flatMap(([target, devices]) =>
      Object.entries(devices).map(([deviceId, algorithm]) => ({ userId: target, deviceId, algorithm })),
    );
    if (wanted.length > limits.keysClaim_devices)
      throw matrixError("M_TOO_LARGE", `Keys of ${limits.keysClaim_devices} devices may be claimed at a time.`);
    // Whoever has all of somebody's one-time keys has taken them from everybody else.
    for (const target of Object.keys(body.one_time_keys)) ctx.rates.take("claim", `${session.userId} ${target}`);
    return { one_time_keys: answerOf(await claimAll(ctx, wanted)), failures: {} };
  },
});

/** Claims in batches, as one batch holds the head of the log while it tells each device what it has left. */
async function claimAll(ctx: Context, wanted: readonly Wanted[]): Promise<Claimed[]> {
  const claimed: Claimed[] = [];
  for (let i = 0; i < wanted.length; i += limits.keysClaimBatch_devices)
    claimed.push(...(await claim(ctx, wanted.slice(i, i + limits.keysClaimBatch_devices))));
  await reached(ctx, claimed.findLast(({ position }) => position !== null)?.position);
  return claimed;
}

function claim(ctx: Context, wanted: readonly Wanted[]): Promise<Claimed[]> {
  return ctx.db.keys.query<Claimed>(
    `select user_id as "userId", device_id as "deviceId", algorithm, key_id as "keyId", key, "position"
     from keys.claim($1, $2, $3)`,
    [wanted.map((each) => each.userId), wanted.map((each) => each.deviceId), wanted.map((each) => each.algorithm)],
  );
}

type Keys = Record<string, Record<string, Record<string, unknown>>>;

function answerOf(claimed: readonly Claimed[]): Keys {
  const keys: Keys = {};
  for (const { userId, deviceId, algorithm, keyId, key } of claimed)
    (keys[userId] ??= {})[deviceId] = { [`${algorithm}:${keyId}`]: JSON.parse(key) as unknown };
  return keys;
}
