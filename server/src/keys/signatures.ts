/**
 * Signatures of keys that are stored already. Specification: client-server-api, "POST /keys/signatures/upload".
 *
 * Whether a signature is to be trusted, the clients find out. The server keeps those that are right and may stand:
 *   on a device of the signer         by their self-signing key
 *   on the signer's own master key    by one of their devices
 *   on somebody else's master key     by the signer's user-signing key
 */
import { z } from "zod";
import type { Context } from "../context.ts";
import { matrixError, MatrixError } from "../errors.ts";
import { route } from "../http.ts";
import { limits } from "../limits.ts";
import { readCrossSigning, readDevices } from "./queries.ts";
import { reached } from "./reached.ts";
import { name, signedText, userId } from "./shapes.ts";
import { mayBeSignedBy } from "./signed.ts";

/** Longer than any that is in use; an ed25519 signature has 86. */
const SIGNATURE_CHARACTERS = 1_024;

const body = z.record(userId, z.record(name, z.looseObject({})));
const signaturesOf = z.looseObject({
  signatures: z.record(userId, z.record(name, name.max(SIGNATURE_CHARACTERS))),
});

interface Signed {
  userId: string;
  target: string;
  object: object;
}

interface Signature {
  userId: string;
  target: string;
  signerKey: string;
  signature: string;
}

export const uploadSignatures = route({
  method: "POST",
  path: "/_matrix/client/v3/keys/signatures/upload",
  alsoAt: ["/_matrix/client/unstable/keys/signatures/upload"],
  access: "session",
  rate: "keys",
  body,
  async handle({ session, body }, ctx) {
    const all = Object.entries(body).flatMap(([userId, objects]) =>
      Object.entries(objects).map(([target, object]) => ({ userId, target, object })),
    );
    if (all.length > limits.signatures)
      throw matrixError("M_TOO_LARGE", `Signatures of ${limits.signatures} keys may be uploaded at a time.`);
    const stored = await readStored(ctx, session.userId, Object.keys(body));
    const accepted: Signature[] = [];
    const failures: Record<string, Record<string, object>> = {};
    for (const signed of all) {
      const result = signaturesIn(signed, stored);
      if (result instanceof MatrixError) (failures[signed.userId] ??= {})[signed.target] = result.body();
      else accepted.push(...result);
    }
    await reached(ctx, await put(ctx, session.userId, accepted));
    return { failures };
  },
});

/** What signatures may stand on, and by which keys of the signer. */
interface Stored {
  signer: string;
  /** The signed part of each key, by its owner and its name. */
  targets: ReadonlyMap<string, { text: string; isDevice: boolean }>;
  /** The ed25519 keys of the signer's devices, by their ids. */
  devices: ReadonlyMap<string, string>;
  selfSigningKey: string | undefined;
  userSigningKey: string | undefined;
}

async function readStored(ctx: Context, signer: string, userIds: readonly string[]): Promise<Stored> {
  const [devices, keys] = await Promise.all([readDevices(ctx, [signer]), readCrossSigning(ctx, [...userIds, signer])]);
  const own = (usage: string) => keys.find((key) => key.userId === signer && key.usage === usage)?.publicKey;
  const targets = new Map<string, { text: string; isDevice: boolean }>();
  for (const { userId, usage, publicKey, keys: key } of keys)
    if (usage === "master") targets.set(`${userId} ${publicKey}`, { text: signedText(key, usage), isDevice: false });
  for (const { userId, deviceId, keys: key } of devices)
    targets.set(`${userId} ${deviceId}`, { text: signedText(key, deviceId), isDevice: true });
  return {
    signer,
    targets,
    devices: new Map(devices.map(({ deviceId, keys: { keys } }) => [deviceId, keys[`ed25519:${deviceId}`] ?? ""])),
    selfSigningKey: own("self_signing"),
    userSigningKey: own("user_signing"),
  };
}

/** The signatures of the object that may be stored, or why there are none. */
function signaturesIn({ userId, target, object }: Signed, stored: Stored): Signature[] | MatrixError {
  const known = stored.targets.get(`${userId} ${target}`);
  if (!known) return matrixError("M_NOT_FOUND", "There is no such key.");
  const parsed = signaturesOf.safeParse(object);
  if (!parsed.success) return matrixError("M_BAD_JSON", `The object has no valid "signatures".`);
  if (!isSame(object, known.text))
    return matrixError("M_INVALID_SIGNATURE", "What was signed is not the key that is stored.");
  const allowed = allowedSigners({ isOwn: userId === stored.signer, isDevice: known.isDevice }, stored);
  const signatures = Object.entries(parsed.data.signatures[stored.signer] ?? {})
    .filter(([keyName]) => allowed.has(keyName))
    .map(([signerKey, signature]) => ({ userId, target, signerKey, signature }));
  if (signatures.length === 0)
    return matrixError("M_INVALID_SIGNATURE", "None of the signatures is by a key that may sign this one.");
  const isRight = (each: Signature) => mayBeSignedBy(allowed.get(each.signerKey) as string, known.text, each.signature);
  if (signatures.every(isRight)) return signatures;
  return matrixError("M_INVALID_SIGNATURE", "The signature is not by the key that it names.");
}

function isSame(object: object, text: string): boolean {
  try {
    return signedText(object, "the signed object") === text;
  } catch (thrown) {
    if (thrown instanceof MatrixError) return false;
    throw thrown;
  }
}

/** The names of the keys that may sign, each with the public key. Those for cross-signing are named by themselves. */
function allowedSigners(
  { isOwn, isDevice }: { isOwn: boolean; isDevice: boolean },
  { devices, selfSigningKey, userSigningKey }: Stored,
): ReadonlyMap<string, string> {
  const byItself = (key: string | undefined) => new Map(key === undefined ? [] : [[`ed25519:${key}`, key]]);
  if (!isOwn) return byItself(userSigningKey);
  if (isDevice) return byItself(selfSigningKey);
  return new Map([...devices].map(([deviceId, key]) => [`ed25519:${deviceId}`, key]));
}

async function put(ctx: Context, signer: string, signatures: readonly Signature[]): Promise<number | null> {
  if (signatures.length === 0) return null;
  const row = await ctx.db.keys.one<{ position: number | null }>(
    "select keys.put_signatures($1, $2, $3, $4, $5) as position",
    [
      signer,
      signatures.map((each) => each.userId),
      signatures.map((each) => each.target),
      signatures.map((each) => each.signerKey),
      signatures.map((each) => each.signature),
    ],
  );
  return row?.position ?? null;
}
