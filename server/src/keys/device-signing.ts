/** A person publishes their cross-signing keys. Specification: client-server-api, "POST /keys/device_signing/upload". */
import { z } from "zod";
import { interactive } from "../auth/interactive.ts";
import { auth } from "../auth/shapes.ts";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { route } from "../http.ts";
import { knownDevices } from "./known-devices.ts";
import { readCrossSigning } from "./queries.ts";
import { reached } from "./reached.ts";
import {
  crossSigningKey,
  type CrossSigningKey,
  signedText,
  splitKeyName,
  storedText,
  type Usage,
  without,
} from "./shapes.ts";
import { mayBeSignedBy } from "./signed.ts";

interface Upload {
  usage: Usage;
  publicKey: string;
  /** As it is stored. */
  keys: string;
  /** The keys of the same person that signed this one. */
  signers: string[];
  /** As it came. */
  key: CrossSigningKey;
}

interface Outcome {
  outcome: "stored" | "unchanged" | "exists" | "no_master" | "unsigned";
  position: number | null;
}

export const uploadCrossSigning = route({
  method: "POST",
  path: "/_matrix/client/v3/keys/device_signing/upload",
  alsoAt: ["/_matrix/client/unstable/keys/device_signing/upload"],
  access: "session",
  rate: "keys",
  body: z.looseObject({
    master_key: crossSigningKey.optional(),
    self_signing_key: crossSigningKey.optional(),
    user_signing_key: crossSigningKey.optional(),
    auth: auth.optional(),
  }),
  async handle(request, ctx) {
    const { body, session } = request;
    const uploads = (["master", "self_signing", "user_signing"] as const).flatMap((usage) => {
      const key = body[`${usage}_key`];
      return key ? [checkedUpload(key, usage, session.userId)] : [];
    });
    await refuseDeviceIds(ctx, session.userId, uploads);
    await refuseForged(ctx, session.userId, uploads);
    const parameters = { userId: session.userId, uploads };
    let result = await put(ctx, { ...parameters, isAuthenticated: false });
    if (result.outcome === "exists") {
      await interactive(ctx, request, {
        flows: [["m.login.password"]],
        byAccountPage: "org.matrix.cross_signing_reset",
      });
      result = await put(ctx, { ...parameters, isAuthenticated: true });
    }
    refuse(result.outcome);
    await reached(ctx, result.position);
    return {};
  },
});

/** Throws M_INVALID_PARAM for a key that is somebody else's, or for another use, or not named by itself. */
function checkedUpload(key: CrossSigningKey, usage: Usage, userId: string): Upload {
  if (key.user_id !== userId) throw matrixError("M_INVALID_PARAM", `The ${usage} key names another user.`);
  if (!key.usage.includes(usage)) throw matrixError("M_INVALID_PARAM", `The ${usage} key is not for that usage.`);
  const [[keyName, publicKey]] = Object.entries(key.keys) as [[string, string]];
  const { algorithm, keyId } = splitKeyName(keyName);
  if (algorithm !== "ed25519" || keyId !== publicKey)
    throw matrixError("M_INVALID_PARAM", `The ${usage} key must be named ed25519:<public key>.`);
  const signers = Object.keys(key.signatures?.[userId] ?? {}).map((name) => splitKeyName(name).keyId);
  return { usage, publicKey, keys: storedText(without(key, "unsigned"), `${usage}_key`), signers, key };
}

/** Throws M_INVALID_SIGNATURE where a key bears the name of the master key's signature, and it is another's. */
async function refuseForged(ctx: Context, userId: string, uploads: readonly Upload[]): Promise<void> {
  const below = uploads.filter(({ usage }) => usage !== "master");
  if (below.length === 0) return;
  const given = uploads.find(({ usage }) => usage === "master");
  const master = given ?? (await readCrossSigning(ctx, [userId])).find(({ usage }) => usage === "master");
  if (!master) return;
  for (const { usage, key } of below) {
    const signature = key.signatures?.[userId]?.[`ed25519:${master.publicKey}`];
    if (signature !== undefined && !mayBeSignedBy(master.publicKey, signedText(key, usage), signature))
      throw matrixError("M_INVALID_SIGNATURE", `The signature of the ${usage} key is not by your master key.`);
  }
}

/** A device and a key with one name could pass for each other in a verification. Specification: "Cross-signing". */
async function refuseDeviceIds(ctx: Context, userId: string, uploads: readonly Upload[]): Promise<void> {
  const devices = (await knownDevices(ctx, [userId])).get(userId);
  if (uploads.some(({ publicKey }) => devices?.has(publicKey)))
    throw matrixError("M_FORBIDDEN", "One of the keys is the id of one of your devices.");
}

async function put(
  ctx: Context,
  { userId, uploads, isAuthenticated }: { userId: string; uploads: readonly Upload[]; isAuthenticated: boolean },
): Promise<Outcome> {
  const row = await ctx.db.keys.one<Outcome>(
    `select outcome, "position" from keys.put_cross_signing($1, $2, $3, $4, $5, $6)`,
    [
      userId,
      uploads.map(({ usage }) => usage),
      uploads.map(({ publicKey }) => publicKey),
      uploads.map(({ keys }) => keys),
      uploads.map(({ signers }) => signers.join(" ")),
      isAuthenticated,
    ],
  );
  if (!row) throw new Error("keys.put_cross_signing gave no row");
  return row;
}

function refuse(outcome: Outcome["outcome"]): void {
  if (outcome === "no_master")
    throw matrixError("M_MISSING_PARAM", "You have no master signing key, and the request brings none.");
  if (outcome === "unsigned")
    throw matrixError("M_INVALID_SIGNATURE", "Each key but the master key must be signed by the master key.");
  if (outcome === "exists") throw new Error("an authenticated upload was asked to authenticate");
}
