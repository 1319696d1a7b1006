/**
 * Files on their way to the server, which are messages as soon as they are uploaded.
 *
 * queued or waiting → preparing → encrypting, uploading → sending → a message of the timeline, under the same transaction id.
 * Without a connection back to waiting; refused → failed, until the person tries again or gives up.
 */
import type { MatrixClient, Room } from "matrix-js-sdk";
import type { UploadItem } from "../timeline/item.ts";
import type { Closing } from "./closing.ts";
import { isPassing } from "./events.ts";
import { isOffline } from "./offline.ts";
import type { Outbox, Parcel } from "./outbox.ts";
import { personIn } from "./person.ts";
import type { Shelf } from "./shelf.ts";
import type { Unsent, UnsentFile } from "./unsentStore.ts";
import { uploadFile } from "./uploadFile.ts";

/** Those of one room. */
export interface Uploads {
  /** The uploads of the room's timeline, or of a thread's. */
  of(rootId: string | undefined): UploadItem[];
  add(files: File[], options: { rootId: string | undefined; caption: string | undefined }): void;
  retry(key: string): void;
  cancel(key: string): void;
  listen(listener: () => void): () => void;
}

export interface AllUploads {
  in(room: Room): Uploads;
  /** Puts back a file that was kept; it is sent with what else waits. */
  restore(room: Room, unsent: Unsent): void;
  /** Ends what is under way. What is kept stays kept. */
  stop(): void;
}

interface Upload extends Parcel {
  item: UploadItem;
  unsent: Unsent & { upload: UnsentFile };
  abort: AbortController;
}

interface UploadsOptions {
  client: MatrixClient;
  outbox: Outbox;
  closing: Closing;
  shelf: Shelf;
}

/** What the uploads of all rooms share. */
interface Yard extends UploadsOptions {
  uploads: Map<string, Upload>;
  listeners: Set<() => void>;
}

export function watchUploads(options: UploadsOptions): AllUploads {
  const yard: Yard = { ...options, uploads: new Map(), listeners: new Set() };
  return {
    in: (room) => uploadsIn(yard, room),
    restore(room, unsent) {
      if (unsent.upload) open(yard, room, { ...unsent, upload: unsent.upload });
    },
    stop() {
      for (const { abort } of yard.uploads.values()) abort.abort();
      yard.uploads.clear();
    },
  };
}

function uploadsIn(yard: Yard, room: Room): Uploads {
  const { client, outbox, uploads, listeners } = yard;
  return {
    of: (rootId) =>
      [...uploads.values()]
        .filter((upload) => upload.room.roomId === room.roomId && upload.unsent.upload.rootId === rootId)
        .map((upload) => shown(yard, upload)),
    add(files, { rootId, caption }) {
      for (const [index, file] of files.entries()) {
        const upload = open(yard, room, {
          txnId: client.makeTxnId(),
          roomId: room.roomId,
          type: "m.room.message",
          content: {},
          at_ms: Date.now(),
          upload: { file, rootId, caption: index === 0 ? caption : undefined },
        });
        keep(yard, upload);
      }
      void outbox.send(room);
    },
    retry(key) {
      const upload = uploads.get(key);
      if (upload?.state() !== "refused") return;
      settle(yard, upload, undefined);
      outbox.put(upload);
      void outbox.send(room);
    },
    cancel(key) {
      const upload = uploads.get(key);
      if (!upload) return;
      upload.abort.abort();
      yard.shelf.forget(key);
      close(yard, upload);
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Puts a file into the row of what is to be sent. */
function open(yard: Yard, room: Room, unsent: Upload["unsent"]): Upload {
  const upload: Upload = {
    txnId: unsent.txnId,
    room,
    unsent,
    item: itemOf(yard.client, room, unsent),
    abort: new AbortController(),
    state: () => stateOf(upload.item.phase),
    send: () => send(yard, upload),
  };
  yard.uploads.set(upload.txnId, upload);
  yard.outbox.put(upload);
  tell(yard);
  return upload;
}

/** It is a message by now, or was given up. */
function close(yard: Yard, upload: Upload): void {
  yard.uploads.delete(upload.txnId);
  yard.closing.release(upload);
  yard.outbox.drop(upload);
  tell(yard);
}

function keep(yard: Yard, upload: Upload): void {
  void yard.shelf.keep(upload, upload.unsent).then((isKept) => {
    if (!isKept && yard.uploads.has(upload.txnId)) change(yard, upload, { inTabOnly: true });
  });
}

/** It waits (again), or was refused with this reason; either is kept, so that it is so after a reload too. */
function settle(yard: Yard, upload: Upload, failure: string | undefined): void {
  change(yard, upload, { phase: failure === undefined ? "waiting" : "failed", sent_bytes: 0, failure });
  if (upload.unsent.failure === failure) return;
  upload.unsent = { ...upload.unsent, failure };
  if (yard.shelf.get(upload.txnId)) keep(yard, upload);
}

async function send(yard: Yard, upload: Upload): Promise<void> {
  const { client } = yard;
  const { room, abort, txnId } = upload;
  const { file, caption, rootId } = upload.unsent.upload;
  try {
    change(yard, upload, { phase: "preparing", sent_bytes: 0, failure: undefined });
    const content = await uploadFile(client, room, {
      file,
      caption,
      abort,
      change: (changes) => change(yard, upload, changes),
    });
    if (abort.signal.aborted) return;
    const sending = client.sendMessage(room.roomId, rootId ?? null, content as never, txnId);
    close(yard, upload);
    // From here on it is a message like any other, which stands in the timeline with its reason when it is not sent.
    await sending.catch(() => undefined);
  } catch (error) {
    if (abort.signal.aborted) return;
    settle(yard, upload, isPassing(error as Error) ? undefined : failureOf(error));
  }
}

function change(yard: Yard, upload: Upload, changes: Partial<UploadItem>): void {
  upload.item = { ...upload.item, ...changes };
  tell(yard);
}

function tell({ listeners }: Yard): void {
  for (const listener of listeners) listener();
}

/** What waits though there is a connection is behind others. */
function shown({ client, outbox }: Yard, { room, item }: Upload): UploadItem {
  const isBehind = item.phase === "waiting" && !outbox.isHeldUp(room) && !isOffline(client);
  return isBehind ? { ...item, phase: "queued" } : item;
}

function stateOf(phase: UploadItem["phase"]): ReturnType<Parcel["state"]> {
  if (phase === "failed") return "refused";
  return phase === "waiting" ? "waiting" : "sending";
}

function itemOf(client: MatrixClient, room: Room, { txnId, at_ms, upload, failure }: Upload["unsent"]): UploadItem {
  return {
    type: "upload",
    key: txnId,
    at_ms,
    sender: personIn(room, client.getSafeUserId()),
    name: upload.file.name,
    size_bytes: upload.file.size,
    sent_bytes: 0,
    encrypted: room.hasEncryptionStateEvent(),
    phase: failure === undefined ? "waiting" : "failed",
    failure,
    inTabOnly: false,
  };
}

function failureOf(error: unknown): string {
  const {
    httpStatus: status,
    name,
    message,
    data,
  } = error as Partial<Error> & {
    httpStatus?: number;
    data?: { error?: string };
  };
  if (status === 413) return "the file is too large for this server";
  if (name === "NotReadableError" || name === "NotFoundError") return "the file can not be read any more";
  if (status === undefined) return message ?? String(error);
  return data?.error?.replace(/\.$/, "") ?? `the server answered ${status}`;
}
