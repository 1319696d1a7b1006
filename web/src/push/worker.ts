/**
 * The service worker of notifications. It keeps nothing and has no access token: what it can not read in the message it asks of a page
 * of Parley, where one is open, and it goes without where none is. It serves no files, so it never stands between a page and a release.
 */
import { type PageAnswer, type PushMessage, shownFor } from "./shown.ts";

/** What is used of a service worker's global; TypeScript knows either pages or workers. */
interface Page {
  url: string;
  focus(): Promise<unknown>;
  postMessage(message: unknown, transfer?: Transferable[]): void;
}

interface Scope {
  registration: ServiceWorkerRegistration;
  clients: {
    claim(): Promise<void>;
    matchAll(options: { type: "window"; includeUncontrolled: true }): Promise<Page[]>;
    openWindow(path: string): Promise<unknown>;
  };
  navigator: { setAppBadge?(count: number): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: string, listener: (event: WorkerEvent) => void): void;
}

interface WorkerEvent {
  waitUntil(work: Promise<unknown>): void;
  data?: { json(): unknown };
  notification: Notification;
}

/** How long a page may take to decrypt. */
const PATIENCE_MS = 5_000;

const worker = globalThis as unknown as Scope;

worker.addEventListener("install", (event) => event.waitUntil(worker.skipWaiting()));
worker.addEventListener("activate", (event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener("push", (event) => event.waitUntil(show(messageOf(event))));
worker.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { path } = event.notification.data as { path: string };
  event.waitUntil(open(path));
});

function messageOf({ data }: WorkerEvent): PushMessage {
  try {
    return data?.json() ?? {};
  } catch {
    return {};
  }
}

async function show(message: PushMessage): Promise<void> {
  if (typeof message.unread === "number") await worker.navigator.setAppBadge?.(message.unread).catch(() => {});
  const answer = message.event_id === undefined ? undefined : await askPages(message);
  const shown = shownFor(message, answer);
  if (!shown) return;
  const { title, body, tag, path } = shown;
  const options = { body, tag, renotify: true, icon: "/favicon.svg", data: { path } };
  await worker.registration.showNotification(title, options);
}

function pages(): Promise<Page[]> {
  return worker.clients.matchAll({ type: "window", includeUncontrolled: true });
}

/** What the page that has the session says; undefined where none answers in time. */
async function askPages(message: PushMessage): Promise<PageAnswer | undefined> {
  const asked = await pages();
  if (asked.length === 0) return undefined;
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), PATIENCE_MS);
    for (const page of asked) {
      const { port1, port2 } = new MessageChannel();
      port1.addEventListener("message", ({ data }: MessageEvent<PageAnswer>) => {
        clearTimeout(timer);
        resolve(data);
      });
      port1.start();
      page.postMessage({ type: "parley.push", message }, [port2]);
    }
  });
}

async function open(path: string): Promise<void> {
  const [page] = await pages();
  if (!page) return void (await worker.clients.openWindow(path));
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a client of a service worker is of its origin
  page.postMessage({ type: "parley.open", path });
  await page.focus();
}
