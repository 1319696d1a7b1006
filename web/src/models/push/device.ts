/**
 * Notifications on this device, also while no page is open: a subscription of Web Push, and a pusher for it on the server. Both are made
 * when the person asks for them in the settings, and looked after at each start, because browsers and servers may change them.
 */
import { type MatrixClient, Method } from "matrix-js-sdk";
import { deviceName } from "../session/device.ts";
import { forgetPush, KEPT } from "./forget.ts";

/** Blocked: the browser's own setting says no. */
export type PushState = "unsupported" | "blocked" | "off" | "on";

const WORKER = "/push-worker.js";
const APP_ID = "io.parley.web";

interface Policy {
  createScriptURL(url: string): string;
}

/** The page may load scripts by their address nowhere (Trusted Types) but here, and this one alone. */
const policy = (
  (globalThis as { trustedTypes?: { createPolicy(name: string, rules: Policy): Policy } }).trustedTypes ?? {
    createPolicy: (_name: string, rules: Policy) => rules,
  }
).createPolicy("parley-worker", { createScriptURL: () => WORKER });

/** How it stands with notifications on this device. */
export function pushState(): PushState {
  const scope: object = globalThis;
  if (!("serviceWorker" in navigator) || !("PushManager" in scope) || !("Notification" in scope)) return "unsupported";
  if (Notification.permission === "denied") return "blocked";
  return localStorage.getItem(KEPT) !== null && Notification.permission === "granted" ? "on" : "off";
}

/** Asks the browser's permission, where there is none yet, and begins. Throws where the browser or the server refuses. */
export async function startPush(client: MatrixClient): Promise<PushState> {
  if ((await Notification.requestPermission()) !== "granted") return pushState();
  const subscription = await subscribe(await applicationKey(client));
  await setPusher(client, subscription);
  localStorage.setItem(KEPT, subscription.toJSON().keys?.["p256dh"] ?? "");
  return pushState();
}

/** Ends it, on the server and in the browser. */
export async function stopPush(client: MatrixClient): Promise<PushState> {
  const pushkey = localStorage.getItem(KEPT);
  if (pushkey !== null) await tell(client, { kind: null, app_id: APP_ID, pushkey });
  await forgetPush();
  return pushState();
}

/** What was begun goes on: a new subscription of the browser, or a new key of the server, is told to both. */
export async function resumePush(client: MatrixClient): Promise<void> {
  if (pushState() === "on") await startPush(client);
}

/** Has the server send one, all the way through the push service. */
export async function sendTest(client: MatrixClient): Promise<void> {
  const body = { app_id: APP_ID, pushkey: localStorage.getItem(KEPT) };
  await client.http.authedRequest(Method.Post, "/push/test", undefined, body, { prefix: "/_parley/client/v1" });
}

/** The public key that subscriptions are made for. */
async function applicationKey(client: MatrixClient): Promise<string> {
  const capabilities = (await client.fetchCapabilities()) as { "m.webpush"?: { enabled?: boolean; vapid?: string } };
  const { enabled, vapid } = capabilities["m.webpush"] ?? {};
  if (!enabled || !vapid) throw new Error("This server sends no notifications.");
  return vapid;
}

async function subscribe(key: string): Promise<PushSubscription> {
  await navigator.serviceWorker.register(policy.createScriptURL(WORKER), { scope: "/" });
  const { pushManager } = await navigator.serviceWorker.ready;
  const known = await pushManager.getSubscription();
  if (known && keyOf(known) === key) return known;
  // One that was made for another key is of no use to this server.
  await known?.unsubscribe();
  return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
}

function keyOf({ options }: PushSubscription): string {
  const bytes = new Uint8Array(options.applicationServerKey ?? new ArrayBuffer(0));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

async function setPusher(client: MatrixClient, subscription: PushSubscription): Promise<void> {
  const { endpoint, keys = {} } = subscription.toJSON();
  await tell(client, {
    kind: "webpush",
    app_id: APP_ID,
    pushkey: keys["p256dh"],
    app_display_name: "Parley",
    device_display_name: deviceName(),
    lang: navigator.language,
    // Each message is shown, so numbers alone are not wanted.
    data: { url: endpoint, auth: keys["auth"], events_only: true },
  });
}

async function tell(client: MatrixClient, pusher: object): Promise<void> {
  await client.http.authedRequest(Method.Post, "/pushers/set", undefined, pusher);
}
