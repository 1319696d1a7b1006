// An authenticator in software: it makes passkeys and signs with them as WebAuthn Level 3 says, or wrongly where a test asks for that.

import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from "node:crypto";

const FLAGS = { present: 0x01, verified: 0x04, attested: 0x40 };
const COUNTER_BYTES = 4;

export type Answering = {
  /** Of a page of the server. */
  origin: string;
  rpId: string;
  /** In base64url, as the server gave it. */
  challenge: string;
  /** False where nobody has shown a finger or typed a PIN. */
  isVerified?: boolean;
};

/** One passkey. */
export function makeAuthenticator({ counts = true }: { counts?: boolean } = {}) {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const id = randomBytes(32);
  const state = { counter: 0 };

  const dataOf = (given: Answering, attested: Buffer = Buffer.alloc(0)) => {
    if (counts) state.counter++;
    const verified = given.isVerified === false ? 0 : FLAGS.verified;
    const flags = FLAGS.present | verified | (attested.length > 0 ? FLAGS.attested : 0);
    const counter = Buffer.alloc(COUNTER_BYTES);
    counter.writeUInt32BE(state.counter);
    const rpIdHash = createHash("sha256").update(given.rpId).digest();
    return Buffer.concat([rpIdHash, Buffer.from([flags]), counter, attested]);
  };
  const named = (response: object) =>
    JSON.stringify({ id: text(id), rawId: text(id), type: "public-key", clientExtensionResults: {}, response });

  return {
    state,
    id: text(id),
    /** What `navigator.credentials.create` gives, as the page sends it. */
    create(given: Answering): string {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(id.length);
      const attested = Buffer.concat([Buffer.alloc(16), length, id, coseKey(publicKey)]);
      const attestationObject = Buffer.concat([
        Buffer.from([0xa3]),
        cborText("fmt"),
        cborText("none"),
        cborText("attStmt"),
        Buffer.from([0xa0]),
        cborText("authData"),
        cborBytes(dataOf(given, attested)),
      ]);
      return named({
        clientDataJSON: text(clientData("webauthn.create", given)),
        attestationObject: text(attestationObject),
        transports: ["internal"],
      });
    },
    /** What `navigator.credentials.get` gives. */
    get(given: Answering & { userHandle?: string }): string {
      const [data, client] = [dataOf(given), clientData("webauthn.get", given)];
      const signed = Buffer.concat([data, createHash("sha256").update(client).digest()]);
      return named({
        clientDataJSON: text(client),
        authenticatorData: text(data),
        signature: text(sign("sha256", signed, privateKey)),
        ...(given.userHandle === undefined ? {} : { userHandle: given.userHandle }),
      });
    },
  };
}

function clientData(type: string, { origin, challenge }: Answering): Buffer {
  return Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }));
}

function text(bytes: Buffer): string {
  return bytes.toString("base64url");
}

/** ES256: key type 2, algorithm -7, curve 1, and the two coordinates. RFC 9053. */
function coseKey(key: KeyObject): Buffer {
  const { x = "", y = "" } = key.export({ format: "jwk" });
  const coordinate = (label: number, value: string) =>
    Buffer.concat([Buffer.from([label]), cborBytes(Buffer.from(value, "base64url"))]);
  const head = Buffer.from([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01]);
  return Buffer.concat([head, coordinate(0x21, x), coordinate(0x22, y)]);
}

function cborText(value: string): Buffer {
  return Buffer.concat([Buffer.from([0x60 + value.length]), Buffer.from(value)]);
}

function cborBytes(value: Buffer): Buffer {
  const head =
    value.length < 24
      ? [0x40 + value.length]
      : value.length < 256
        ? [0x58, value.length]
        : [0x59, value.length >> 8, value.length & 0xff];
  return Buffer.concat([Buffer.from(head), value]);
}
