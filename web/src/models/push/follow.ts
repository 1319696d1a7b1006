/** What the page does for the service worker of notifications: it decrypts, says what is before the person's eyes, and opens rooms. */
import { type MatrixClient, type MatrixEvent, type Room, RoomEvent } from "matrix-js-sdk";
import { navigate } from "wouter/use-browser-location";
import type { PageAnswer, PushMessage } from "../../push/shown.ts";
import { bodyOf } from "../client/body.ts";
import { roomPath } from "../routes.ts";
import { resumePush } from "./device.ts";

interface Asked {
  type?: string;
  message?: PushMessage;
  path?: string;
}

/** Until the signal aborts. */
export function followPushes(client: MatrixClient, signal: AbortSignal): void {
  const worker = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  if (!worker) return;
  const listen = ({ data, ports: [port] }: MessageEvent<Asked>) => {
    if (data.type === "parley.open" && data.path) navigate(data.path);
    if (data.type !== "parley.push" || !data.message || !port) return;
    void answer(client, data.message).then(
      (answered) => port.postMessage(answered),
      // The worker goes on without.
      () => port.postMessage({}),
    );
  };
  const read = (event: MatrixEvent, room: Room) => {
    if (isOwnReceipt(event, client.getUserId() ?? "")) void closeNotifications(room.roomId);
  };
  worker.addEventListener("message", listen, { signal });
  worker.startMessages();
  client.on(RoomEvent.Receipt, read);
  signal.addEventListener("abort", () => client.off(RoomEvent.Receipt, read));
  // Without notifications Parley is what it was before.
  void resumePush(client).catch(() => {});
}

async function answer(client: MatrixClient, message: PushMessage): Promise<PageAnswer> {
  const { room_id: roomId = "", event_id: eventId = "" } = message;
  const isBefore = location.pathname.startsWith(roomPath(roomId));
  if (document.visibilityState === "visible" && document.hasFocus() && isBefore) return { seen: true };
  const room = client.getRoom(roomId);
  if (!room || message.membership === "invite") return {};
  const event = room.findEventById(eventId) ?? client.getEventMapper()(await client.fetchRoomEvent(roomId, eventId));
  await client.decryptEventIfNeeded(event);
  return event.isDecryptionFailure() ? {} : { text: bodyOf(room, event).text };
}

/** A receipt that tells, on whichever device it was made, that the person has read the room. */
function isOwnReceipt(event: MatrixEvent, userId: string): boolean {
  const receipts = Object.values(event.getContent<Record<string, Record<string, object>>>());
  return receipts.some((types) => Object.values(types).some((readers) => userId in readers));
}

async function closeNotifications(roomId: string): Promise<void> {
  const registration = await navigator.serviceWorker.getRegistration();
  for (const shown of (await registration?.getNotifications({ tag: roomId })) ?? []) shown.close();
}
