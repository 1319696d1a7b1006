/**
 * By what push services know this server (RFC 8292, VAPID): a key pair that every subscription is made for. It is made once and kept in
 * the database, unless a setting gives it. With another key all subscriptions end, and apps make new ones.
 */
import { createECDH, createPrivateKey, type KeyObject, sign } from "node:crypto";
import type { Context } from "../../context.ts";
import { limits } from "../../limits.ts";
import { valueOf } from "../../secrets/address.ts";

export interface Vapid {
  /** For `applicationServerKey`: the point without compression, in base64url. */
  publicKey: string;
  key: KeyObject;
}

const known = new WeakMap<Context, Promise<Vapid>>();

/** The key pair of this server. */
export function vapidOf(ctx: Context): Promise<Vapid> {
  let found = known.get(ctx);
  if (!found) {
    found = read(ctx);
    known.set(ctx, found);
    // The database may be there the next time.
    found.catch(() => known.delete(ctx));
  }
  return found;
}

async function read(ctx: Context): Promise<Vapid> {
  const { vapidKey } = ctx.config.push;
  if (vapidKey !== undefined) return pairOf(valueOf(vapidKey).trim());
  // All processes have the pair of the one that was first.
  const made = createECDH("prime256v1");
  made.generateKeys();
  await ctx.db.push.query("insert into push.vapid (public_key, private_key) values ($1, $2) on conflict do nothing", [
    made.getPublicKey("base64url"),
    privateOf(made.getPrivateKey()),
  ]);
  const row = await ctx.db.push.one<{ privateKey: string }>(`select private_key as "privateKey" from push.vapid`);
  if (!row) throw new Error("push.vapid has no row");
  return pairOf(row.privateKey);
}

/** Leading zeros are part of it. */
function privateOf(bytes: Buffer): string {
  return Buffer.concat([Buffer.alloc(32 - bytes.length), bytes]).toString("base64url");
}

/** The pair of a private key: 32 bytes in base64url. Throws where it is none. */
export function pairOf(privateKey: string): Vapid {
  const pair = createECDH("prime256v1");
  pair.setPrivateKey(Buffer.from(privateKey, "base64url"));
  const point = pair.getPublicKey();
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((part) => part.toString("base64url"));
  const jwk = { kty: "EC", crv: "P-256", d: privateKey, x, y };
  return { publicKey: point.toString("base64url"), key: createPrivateKey({ key: jwk, format: "jwk" }) };
}

/** The header `authorization` for one push service. */
export async function authorizationFor(ctx: Context, endpoint: string): Promise<string> {
  const { publicKey, key } = await vapidOf(ctx);
  const claims = {
    aud: new URL(endpoint).origin,
    exp: Math.floor((ctx.seams.now_ms() + limits.vapidToken_ms) / 1_000),
    sub: contactOf(ctx),
  };
  const signed = [{ typ: "JWT", alg: "ES256" }, claims].map(encode).join(".");
  const signature = sign("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" }).toString("base64url");
  return `vapid t=${signed}.${signature}, k=${publicKey}`;
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}

/** Whom a push service may ask about what comes from here. */
function contactOf(ctx: Context): string {
  const url = ctx.publicUrl();
  return url.startsWith("https:") ? url : `mailto:postmaster@${ctx.config.serverName.replace(/:\d+$/, "")}`;
}
