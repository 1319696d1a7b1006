// A push service (RFC 8030) with one app that is subscribed to it. It reads what arrives as a browser does, with nothing of the code
// that wrote it: the signature by RFC 8292, the encryption by RFC 8291 and RFC 8188.

import { createDecipheriv, createECDH, createPublicKey, hkdfSync, randomBytes, verify } from "node:crypto";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import type { Json } from "./http.ts";
import { waitFor } from "./wait.ts";

export type PushService = AsyncDisposable & {
  /** What the app hands to its homeserver. */
  subscription: { endpoint: string; p256dh: string; auth: string };
  /** Every message that it took, with the claims of who sent it. */
  readonly taken: { message: Json; headers: IncomingHttpHeaders; claims: Json; publicKey: string }[];
  /** The status with which it answers. */
  status: number;
  /** Resolves with the first message for which `check` is true. */
  took(what: string, check: (message: Json) => boolean): Promise<Json>;
};

/** Starts one on a free port of this machine. */
export async function startPushService(): Promise<PushService> {
  const pair = createECDH("prime256v1");
  pair.generateKeys();
  const auth = randomBytes(16);
  const listeners = new Set<() => void>();
  const taken: PushService["taken"] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      response.writeHead(service.status).end();
      if (service.status !== 201) return;
      const { claims, publicKey } = senderOf(request.headers);
      const message: Json = JSON.parse(decrypt(Buffer.concat(parts), pair, auth).toString());
      taken.push({ message, headers: request.headers, claims, publicKey });
      for (const listener of listeners) listener();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/push/1`;
  const service: PushService = {
    subscription: { endpoint, p256dh: pair.getPublicKey("base64url"), auth: auth.toString("base64url") },
    taken,
    status: 201,
    took: (what, check) =>
      waitFor({
        what,
        check: () => taken.map(({ message }) => message).find(check),
        listen: (look) => {
          listeners.add(look);
          return () => void listeners.delete(look);
        },
        instead: () => JSON.stringify(taken, null, 1),
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return service;
}

/** Throws where the signature is not that of the key beside it. */
function senderOf({ authorization = "" }: IncomingHttpHeaders): { claims: Json; publicKey: string } {
  const [, header = "", body = "", signature = "", publicKey = ""] =
    /^vapid t=([\w-]+)\.([\w-]+)\.([\w-]+), k=([\w-]+)$/.exec(authorization) ?? [];
  const point = Buffer.from(publicKey, "base64url");
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((part) => part.toString("base64url"));
  const key = createPublicKey({ key: { kty: "EC", crv: "P-256", x, y }, format: "jwk" });
  const signed = Buffer.from(`${header}.${body}`);
  const isRight = verify("sha256", signed, { key, dsaEncoding: "ieee-p1363" }, Buffer.from(signature, "base64url"));
  if (!isRight) throw new Error(`not signed by its key: ${authorization}`);
  return { claims: JSON.parse(Buffer.from(body, "base64url").toString()), publicKey };
}

/** One record with its header: salt, record size, and the sender's public key. */
function decrypt(body: Buffer, pair: ReturnType<typeof createECDH>, auth: Buffer): Buffer {
  const salt = body.subarray(0, 16);
  const length = body.readUInt8(20);
  const sender = body.subarray(21, 21 + length);
  const record = body.subarray(21 + length);
  const info = Buffer.concat([Buffer.from("WebPush: info\0"), pair.getPublicKey(), sender]);
  const ikm = Buffer.from(hkdfSync("sha256", pair.computeSecret(sender), auth, info, 32));
  const derive = (name: string, size: number) =>
    Buffer.from(hkdfSync("sha256", ikm, salt, `Content-Encoding: ${name}\0`, size));
  const decipher = createDecipheriv("aes-128-gcm", derive("aes128gcm", 16), derive("nonce", 12));
  decipher.setAuthTag(record.subarray(-16));
  const padded = Buffer.concat([decipher.update(record.subarray(0, -16)), decipher.final()]);
  const end = padded.lastIndexOf(2);
  if (end < 0 || padded.subarray(end + 1).some((byte) => byte !== 0)) throw new Error("the padding is not right");
  return padded.subarray(0, end);
}
