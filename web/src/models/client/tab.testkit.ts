/** A tab of the messenger as far as it sends, on the SDK and a server that answers what a test says. */
import { afterEach, beforeEach } from "node:test";
import { ClientEvent, createClient, type MatrixClient, MatrixEvent, Room, RoomEvent, SyncState } from "matrix-js-sdk";
import type { Logger } from "matrix-js-sdk/lib/logger.js";
import { type Closing, guardClosing } from "./closing.ts";
import { keepUnsent } from "./keepUnsent.ts";
import { watchOutbox } from "./outbox.ts";
import { openShelf } from "./shelf.ts";
import type { Unsent, UnsentStore } from "./unsentStore.ts";
import { type Uploads, watchUploads } from "./uploads.ts";

export const ME = "@me:x.org";
const stops: (() => void)[] = [];

/** A window for each test; its tabs are closed at its end. */
beforeEach(() => {
  globalThis.window = new EventTarget() as typeof window;
  Object.defineProperty(navigator, "onLine", { value: true, configurable: true });
});

afterEach(() => close());

/** What lies in the browser; it outlives the tabs. */
export function disk() {
  const rows = new Map<string, Unsent>();
  const store: UnsentStore = {
    all: async () => [...rows.values()],
    // Node can not clone a file, which never changes.
    put: async ({ upload, ...unsent }) =>
      void rows.set(unsent.txnId, { ...structuredClone(unsent), ...(upload && { upload }) }),
    remove: async (txnId) => void rows.delete(txnId),
    close: () => undefined,
  };
  return { rows, store };
}

/** What the server answers to a send; `null` is no connection. */
export type Answer = { status: number; body: object } | null;

export interface Tab {
  client: MatrixClient;
  /** The transaction ids of the requests, in their order; of an upload, that word. */
  sent: string[];
  /** Their paths. */
  paths: string[];
  /** The texts and names of the messages that the server took, in their order. */
  taken: string[];
  uploads: Uploads;
  closing: Closing & { asks: () => boolean };
  room: Room;
  say(body: string): Promise<void>;
  /** Events as a timeline shows them. */
  sorted(events: MatrixEvent[]): MatrixEvent[];
  bodies(): (string | undefined)[];
  answers(answer: (txnId: string) => Answer | Promise<Answer>): void;
  sync(state: SyncState): void;
  join(): Promise<void>;
}

/** A tab on the SDK, whose sync tells only what a test says. */
export async function tab(store: UnsentStore, { joined = true, before = [] as object[] } = {}): Promise<Tab> {
  let state: SyncState | null = null;
  let answer: (txnId: string) => Answer | Promise<Answer> = () => null;
  const sent: string[] = [];
  const paths: string[] = [];
  const taken: string[] = [];
  const client = createClient({
    baseUrl: "https://x.org",
    userId: ME,
    deviceId: "D",
    accessToken: "t",
    logger: silent,
    fetchFn: (async (address: URL, { body }: RequestInit) => {
      const txnId = decodeURIComponent(new URL(address).pathname.split("/").at(-1) ?? "");
      sent.push(txnId);
      paths.push(new URL(address).pathname);
      const said = await answer(txnId);
      if (!said) throw new TypeError("no network");
      if (said.status === 200 && typeof body === "string") taken.push((JSON.parse(body) as { body: string }).body);
      return Response.json(said.body, { status: said.status });
    }) as typeof fetch,
  });
  client.getSyncState = () => state;
  const room = new Room("!r:x.org", client, ME);
  const join = async () => {
    client.store.storeRoom(room);
    (client as unknown as { reEmitter: { reEmit: (of: Room, names: string[]) => void } }).reEmitter.reEmit(room, [
      RoomEvent.LocalEchoUpdated,
      RoomEvent.TimelineReset,
    ]);
    room.updateMyMembership("join");
    await room.addLiveEvents(
      before.map((event) => new MatrixEvent({ room_id: room.roomId, sender: ME, origin_server_ts: 1, ...event })),
      { addToState: false },
    );
  };
  if (joined) await join();
  const outbox = watchOutbox(client);
  const guard = guardClosing(window);
  const closing = { ...guard, asks: () => !window.dispatchEvent(new Event("beforeunload", { cancelable: true })) };
  const shelf = openShelf(Promise.resolve(store), closing);
  const uploads = watchUploads({ client, outbox, closing, shelf });
  const keeping = keepUnsent({ client, outbox, closing, shelf, uploads });
  stops.push(() => [outbox, keeping, uploads, shelf, closing].forEach((part) => part.stop()));
  await turns();
  return {
    client,
    sent,
    paths,
    taken,
    uploads: uploads.in(room),
    closing,
    room,
    async say(body) {
      await client.sendMessage(room.roomId, null, { msgtype: "m.text", body } as never).catch(() => undefined);
      await turns();
    },
    sorted: (events) => outbox.placed(events),
    bodies: () => outbox.of(room.roomId).map((event) => event.getContent<{ body?: string }>().body),
    answers: (given) => void (answer = given),
    sync(now) {
      const old = state;
      state = now;
      client.emit(ClientEvent.Sync, now, old);
    },
    join,
  };
}

const nothing = () => undefined;
const silent: Logger = {
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  getChild: () => silent,
};
export const accepts = (txnId: string): Answer => ({
  status: 200,
  body: txnId === "upload" ? { content_uri: "mxc://x.org/1" } : { event_id: `$${txnId}` },
});
export const refuses = (): Answer => ({
  status: 403,
  body: { errcode: "M_FORBIDDEN", error: "You may not write here." },
});

/** Until everything that waits for nothing but a turn has had it. */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise<void>((resolve) => void setImmediate(resolve));
}

/** Closes the tabs. */
export function close(): void {
  for (const stop of stops.splice(0)) stop();
}
