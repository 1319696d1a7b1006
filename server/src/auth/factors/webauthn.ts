/**
 * What browsers are asked for a passkey, and whether their answer is right. WebAuthn Level 3. A passkey always has the person verified by
 * their device (a finger, a face, a PIN), so that it is two factors by itself, and always lies on an authenticator that finds it without
 * a user name. The library is loaded by the first who needs it.
 */
import { createHash } from "node:crypto";
import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from "@simplewebauthn/server";
import { z } from "zod";
import type { Context } from "../../context.ts";
import { matrixError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { issuerOf } from "../oauth/addresses.ts";
import { makeChallenge, useChallenge } from "./challenges.ts";
import { addPasskey, findPasskey, listPasskeys, notePasskeyUse } from "./passkeys.ts";

/** EdDSA, ES256 and RS256, which authenticators have. RFC 9053. */
const ALGORITHMS = [-8, -7, -257];

const library = () => import("@simplewebauthn/server");

/** Passkeys are bound to the host of the public address: under another one they are of no use. */
function place(ctx: Context): { expectedOrigin: string; expectedRPID: string } {
  const { origin, hostname } = new URL(issuerOf(ctx));
  return { expectedOrigin: origin, expectedRPID: hostname };
}

/** What authenticators keep in place of the user id. WebAuthn asks that it tells nothing of the person. */
function handleOf(userId: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash("sha256").update("parley passkey").update(userId).digest());
}

/** For a browser in which nobody is known yet: any passkey of this server. */
export async function signInOptions(ctx: Context, browserHash: Buffer): Promise<PublicKeyCredentialRequestOptionsJSON> {
  return {
    challenge: await makeChallenge(ctx, browserHash),
    rpId: place(ctx).expectedRPID,
    userVerification: "required",
    timeout: limits.passkeyChallenge_ms,
  };
}

export async function newPasskeyOptions(
  ctx: Context,
  { userId, browserHash }: { userId: string; browserHash: Buffer },
): Promise<PublicKeyCredentialCreationOptionsJSON> {
  const { generateRegistrationOptions } = await library();
  const known = await listPasskeys(ctx, userId);
  return generateRegistrationOptions({
    rpName: ctx.config.serverName,
    rpID: place(ctx).expectedRPID,
    userName: userId,
    userDisplayName: userId,
    userID: handleOf(userId),
    challenge: new Uint8Array(Buffer.from(await makeChallenge(ctx, browserHash), "base64url")),
    timeout: limits.passkeyChallenge_ms,
    attestationType: "none",
    supportedAlgorithmIDs: ALGORITHMS,
    authenticatorSelection: { residentKey: "required", userVerification: "required" },
    excludeCredentials: known.map(({ id, transports }) => ({ id, transports })),
  });
}

const id = z.string().regex(/^[\w-]{1,1400}$/);
const answer = z.looseObject({
  id,
  rawId: id,
  type: z.literal("public-key"),
  clientExtensionResults: z.looseObject({}),
});
const assertion = answer.extend({
  response: z.looseObject({
    clientDataJSON: z.string(),
    authenticatorData: z.string(),
    signature: z.string(),
    userHandle: z.string().nullish(),
  }),
});
const attestation = answer.extend({
  response: z.looseObject({
    clientDataJSON: z.string(),
    attestationObject: z.string(),
    transports: z.array(z.string().max(32)).max(8).optional(),
  }),
});

/** What the script of the page has put into the form. Throws M_INVALID_PARAM. */
function parsed<T extends z.ZodType>(schema: T, text: string): z.output<T> {
  try {
    if (text.length <= limits.passkeyAnswer_characters) return schema.parse(JSON.parse(text));
  } catch {
    // It is refused below, however it is wrong.
  }
  throw matrixError("M_INVALID_PARAM", "That is no answer of a passkey. Try again.");
}

function refused(cause?: unknown) {
  return matrixError("M_FORBIDDEN", "The passkey was not accepted. Try again, or sign in another way.", { cause });
}

interface Answered {
  /** The JSON of the browser's credential. */
  credential: string;
  /** Of the cookie that the challenge was made for. */
  browserHash: Buffer;
}

/** Whose passkey has signed this browser's challenge. Throws M_FORBIDDEN. */
export async function provenByPasskey(ctx: Context, { credential, browserHash }: Answered): Promise<string> {
  const response = parsed(assertion, credential);
  const passkey = await findPasskey(ctx, response.id);
  if (!passkey)
    throw matrixError("M_FORBIDDEN", "This passkey is not known here. It may have been removed from the account.");
  const { userId, credentialId, publicKey, counter } = passkey;
  const handle = response.response.userHandle;
  if (handle && handle !== Buffer.from(handleOf(userId)).toString("base64url")) throw refused();
  const { verifyAuthenticationResponse } = await library();
  const { verified, authenticationInfo } = await verifyAuthenticationResponse({
    response: response as unknown as AuthenticationResponseJSON,
    expectedChallenge: (challenge) => useChallenge(ctx, challenge, browserHash),
    ...place(ctx),
    requireUserVerification: true,
    credential: { id: response.id, publicKey: new Uint8Array(publicKey), counter },
  }).catch((thrown: unknown) => {
    throw refused(thrown);
  });
  if (!verified || !(await notePasskeyUse(ctx, credentialId, authenticationInfo.newCounter))) throw refused();
  return userId;
}

/** Adds the passkey that has answered this browser's challenge. Throws M_FORBIDDEN, and as `addPasskey` does. */
export async function addAnswered(
  ctx: Context,
  { userId, name, credential, browserHash }: Answered & { userId: string; name: string },
): Promise<void> {
  const response = parsed(attestation, credential);
  const { verifyRegistrationResponse } = await library();
  const { registrationInfo } = await verifyRegistrationResponse({
    response,
    expectedChallenge: (challenge) => useChallenge(ctx, challenge, browserHash),
    ...place(ctx),
    requireUserVerification: true,
    supportedAlgorithmIDs: ALGORITHMS,
  }).catch((thrown: unknown) => {
    throw refused(thrown);
  });
  if (!registrationInfo) throw refused();
  const made = registrationInfo.credential;
  await addPasskey(ctx, {
    userId,
    name,
    credentialId: Buffer.from(made.id, "base64url"),
    publicKey: Buffer.from(made.publicKey),
    counter: made.counter,
    transports: response.response.transports ?? [],
  });
}
