/** The devices and the cross-signing keys of people. Specification: client-server-api, "POST /keys/query". */
import { z } from "zod";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { route } from "../http.ts";
import { limits } from "../limits.ts";
import { isUserId } from "../rooms/rules/identifiers.ts";
import { identifier } from "../validate.ts";
import { knownDevices } from "./known-devices.ts";
import { readCrossSigning, readDevices, readSignatures, type StoredSignature } from "./queries.ts";
import { name, userId } from "./shapes.ts";

type Signatures = Record<string, Record<string, string>>;
type ByUser<T> = Record<string, T>;

/** The devices that are wanted; none named: all of them. Older clients write that as an empty object. */
const devices = z.union([z.array(name), z.strictObject({}).transform((): string[] => [])], {
  error: "must be a list of device ids",
});
const queried = userId.refine(isUserId, identifier("must be a user id"));

export const queryKeys = route({
  method: "POST",
  path: "/_matrix/client/v3/keys/query",
  access: "session",
  rate: "keys",
  body: z.looseObject({ device_keys: z.record(queried, devices) }),
  async handle({ session, body }, ctx) {
    const wanted = new Map(Object.entries(body.device_keys));
    if (wanted.size > limits.keysQuery_users)
      throw matrixError("M_TOO_LARGE", `Keys of ${limits.keysQuery_users} people may be queried at a time.`);
    const signatures = signaturesByKey(await readSignatures(ctx, [...wanted.keys()], session.userId));
    const [device_keys, crossSigning] = await Promise.all([
      devicesOf(ctx, wanted, signatures),
      crossSigningOf(ctx, [...wanted.keys()], { readerId: session.userId, signatures }),
    ]);
    return { device_keys, ...crossSigning, failures: {} };
  },
});

type SignaturesByKey = ReadonlyMap<string, readonly StoredSignature[]>;

const keyOf = (userId: string, target: string) => `${userId} ${target}`;

function signaturesByKey(all: readonly StoredSignature[]): SignaturesByKey {
  return Map.groupBy(all, ({ userId, target }) => keyOf(userId, target));
}

/** The signatures that were uploaded with a key, and those that came later. */
function merged(uploaded: Signatures | undefined, later: readonly StoredSignature[] = []): Signatures {
  const signatures = { ...uploaded };
  for (const { signer, signerKey, signature } of later)
    signatures[signer] = { ...signatures[signer], [signerKey]: signature };
  return signatures;
}

/** Everybody who was asked for is in it, and those whom nobody knows have no devices. */
async function devicesOf(
  ctx: Context,
  wanted: ReadonlyMap<string, readonly string[]>,
  signatures: SignaturesByKey,
): Promise<ByUser<Record<string, object>>> {
  const userIds = [...wanted.keys()];
  const [known, stored] = await Promise.all([knownDevices(ctx, userIds), readDevices(ctx, userIds)]);
  const devices: ByUser<Record<string, object>> = Object.fromEntries(userIds.map((userId) => [userId, {}]));
  for (const { userId, deviceId, keys } of stored) {
    const names = wanted.get(userId) ?? [];
    const displayName = known.get(userId)?.get(deviceId);
    // A device whose session has just ended may still have its keys here for a moment.
    if (displayName === undefined || (names.length > 0 && !names.includes(deviceId))) continue;
    (devices[userId] as Record<string, object>)[deviceId] = {
      ...keys,
      signatures: merged(keys.signatures, signatures.get(keyOf(userId, deviceId))),
      unsigned: displayName === null ? {} : { device_display_name: displayName },
    };
  }
  return devices;
}

interface CrossSigning {
  master_keys: ByUser<object>;
  self_signing_keys: ByUser<object>;
  user_signing_keys: ByUser<object>;
}

/** The user-signing key is for its owner alone: with whom somebody has verified is nobody else's business. */
async function crossSigningOf(
  ctx: Context,
  userIds: readonly string[],
  { readerId, signatures }: { readerId: string; signatures: SignaturesByKey },
): Promise<CrossSigning> {
  const answer: CrossSigning = { master_keys: {}, self_signing_keys: {}, user_signing_keys: {} };
  for (const { userId, usage, publicKey, keys } of await readCrossSigning(ctx, userIds)) {
    if (usage === "user_signing" && userId !== readerId) continue;
    const later = signatures.get(keyOf(userId, publicKey));
    const all = keys.signatures || later ? { ...keys, signatures: merged(keys.signatures, later) } : keys;
    answer[`${usage}_keys`][userId] = all;
  }
  return answer;
}
