/** What a client says of a pusher, and what is right of it. Specification: client-server-api, POST /pushers/set; MSC4174 for webpush. */
import { z } from "zod";
import type { Config } from "../config.ts";
import { matrixError, type MatrixError } from "../errors.ts";
import { limits } from "../limits.ts";

export type PusherKind = "http" | "webpush";

export interface WantedPusher {
  kind: PusherKind;
  appId: string;
  pushkey: string;
  appName: string;
  deviceName: string;
  profileTag: string | undefined;
  lang: string;
  data: Record<string, unknown>;
  /** Whether other people may have the same app at the same key. */
  isAppended: boolean;
}

const text = z.string().max(limits.pusherText_characters);

export const pusherBody = z.looseObject({
  kind: z.string().nullable(),
  app_id: z.string().min(1).max(limits.pusherAppId_characters),
  pushkey: z
    .string()
    .min(1)
    .refine((key) => Buffer.byteLength(key) <= limits.pushkey_bytes, {
      error: `a pushkey has at most ${limits.pushkey_bytes} bytes`,
    }),
  app_display_name: text.nullish(),
  device_display_name: text.nullish(),
  profile_tag: text.nullish(),
  lang: text.nullish(),
  data: z.looseObject({}).nullish(),
  append: z.boolean().nullish(),
});

const NEEDED = ["app_display_name", "device_display_name", "lang", "data"] as const;

/** What the body asks for, where it is all there and right. Throws M_MISSING_PARAM, M_INVALID_PARAM and M_TOO_LARGE. */
export function wantedPusher({ push }: Pick<Config, "push">, body: z.output<typeof pusherBody>): WantedPusher {
  const missing = NEEDED.filter((name) => body[name] === undefined || body[name] === null);
  if (missing.length > 0) throw matrixError("M_MISSING_PARAM", `Missing parameters: ${missing.join(", ")}`);
  const data = body.data as Record<string, unknown>;
  if (Buffer.byteLength(JSON.stringify(data)) > limits.pusherData_bytes)
    throw matrixError("M_TOO_LARGE", `The data of a pusher may have ${limits.pusherData_bytes} bytes.`);
  if (body.kind === "http") requireGateway(data["url"], push);
  else if (body.kind === "webpush") requireSubscription(body.pushkey, data, push);
  else throw invalid(`The kind "${body.kind}" is not known here: http and webpush are, and null deletes a pusher.`);
  return {
    kind: body.kind,
    appId: body.app_id,
    pushkey: body.pushkey,
    appName: body.app_display_name as string,
    deviceName: body.device_display_name as string,
    profileTag: body.profile_tag ?? undefined,
    lang: body.lang as string,
    data,
    isAppended: body.append ?? false,
  };
}

const PATH = "/_matrix/push/v1/notify";

function requireGateway(given: unknown, push: Config["push"]): void {
  if (given === undefined) throw matrixError("M_MISSING_PARAM", "Missing parameters: data.url");
  const url = typeof given === "string" ? URL.parse(given) : null;
  if (!url || !isReachable(url, push))
    throw invalid("data.url must be an https URL without a user name: where the push gateway is.");
  if (url.pathname !== PATH) throw invalid(`data.url must have the path ${PATH}.`);
}

/** Without TLS only where the operator named hosts of their own, and then the guard decides about each. */
function isReachable(url: URL, { hosts }: Config["push"]): boolean {
  const isSecure = url.protocol === "https:" || (url.protocol === "http:" && hosts.rules.length > 0);
  return isSecure && url.username === "" && url.password === "";
}

function requireSubscription(pushkey: string, data: Record<string, unknown>, push: Config["push"]): void {
  const endpoint = endpointIn(data);
  if (endpoint === undefined) throw matrixError("M_MISSING_PARAM", "Missing parameters: data.url");
  const url = URL.parse(endpoint);
  if (!url || !isReachable(url, push))
    throw invalid("data.url must be an https URL without a user name: the endpoint of the push subscription.");
  if (bytesOf(pushkey)?.[0] !== 4 || bytesOf(pushkey)?.length !== 65)
    throw invalid("The pushkey must be the subscription's p256dh: a point without compression, 65 bytes in base64url.");
  if (data["auth"] === undefined) throw matrixError("M_MISSING_PARAM", "Missing parameters: data.auth");
  if (bytesOf(data["auth"])?.length !== 16)
    throw invalid("data.auth must be the subscription's auth: 16 bytes in base64url.");
}

/** Where the messages of a subscription go: `url` as MSC4174 has it, or `endpoint` as clients with a gateway do. */
export function endpointIn(data: Record<string, unknown>): string | undefined {
  const endpoint = data["url"] ?? data["endpoint"];
  return typeof endpoint === "string" ? endpoint : undefined;
}

function bytesOf(value: unknown): Buffer | undefined {
  const isText = typeof value === "string" && /^[A-Za-z0-9_+/-]+={0,2}$/.test(value);
  return isText ? Buffer.from(value, "base64url") : undefined;
}

function invalid(message: string): MatrixError {
  return matrixError("M_INVALID_PARAM", message);
}
