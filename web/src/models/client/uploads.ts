/** Files on their way to the server: prepared, encrypted where the room is, uploaded, sent. */
import { type MatrixClient, type Room } from "matrix-js-sdk";
import { encryptFile } from "../media/encrypt.ts";
import type { EncryptedFile, UploadItem } from "../timeline/item.ts";
import type { Closing } from "./closing.ts";
import { encryptionOf } from "./encryption.ts";
import { personIn } from "./person.ts";
import { type Picture, pictureOf } from "./picture.ts";

export interface Uploads {
  /** The uploads of the room's timeline, or of a thread's. */
  of(rootId: string | undefined): UploadItem[];
  add(files: File[], options: { rootId: string | undefined; caption: string | undefined }): void;
  retry(key: string): void;
  cancel(key: string): void;
  listen(listener: () => void): () => void;
}

interface Upload {
  item: UploadItem;
  file: File;
  rootId: string | undefined;
  caption: string | undefined;
  abort: AbortController;
}

interface UploadsOptions {
  client: MatrixClient;
  room: Room;
  closing: Closing;
}

/** The uploads of one room. They are in this tab alone, failed ones too, so it asks before it is closed. */
export function openUploads({ client, room, closing }: UploadsOptions): Uploads {
  const uploads = new Map<string, Upload>();
  const listeners = new Set<() => void>();
  let made = 0;
  const tell = () => {
    for (const listener of listeners) listener();
  };
  const change = (upload: Upload, changes: Partial<UploadItem>) => {
    upload.item = { ...upload.item, ...changes };
    tell();
  };
  const remove = (upload: Upload) => {
    uploads.delete(upload.item.key);
    closing.release(upload);
    tell();
  };
  const send = async (upload: Upload) => {
    if (upload.abort.signal.aborted) return;
    try {
      const content = await uploaded(client, room, { upload, change: (changes) => change(upload, changes) });
      if (upload.abort.signal.aborted) return;
      remove(upload);
      // From here on it is a message like any other, which stands in the timeline with its reason when it is not sent.
      await client.sendMessage(room.roomId, upload.rootId ?? null, content as never).catch(() => undefined);
    } catch (error) {
      if (!upload.abort.signal.aborted) change(upload, { phase: "failed", failure: failureOf(error) });
    }
  };
  /** One after the other: they stand in the room in the order in which they were chosen, whichever is the quicker. */
  let last: Promise<void> = Promise.resolve();
  const start = (upload: Upload) => {
    last = last.then(() => send(upload));
  };
  return {
    of: (rootId) => [...uploads.values()].filter((upload) => upload.rootId === rootId).map((upload) => upload.item),
    add(files, { rootId, caption }) {
      for (const [index, file] of files.entries()) {
        const upload: Upload = {
          item: itemOf({ client, room, file, key: `upload ${++made}` }),
          file,
          rootId,
          caption: index === 0 ? caption : undefined,
          abort: new AbortController(),
        };
        uploads.set(upload.item.key, upload);
        closing.hold(upload);
        start(upload);
      }
      tell();
    },
    retry(key) {
      const upload = uploads.get(key);
      if (!upload) return;
      change(upload, { phase: "preparing", sent_bytes: 0, failure: undefined });
      start(upload);
    },
    cancel(key) {
      const upload = uploads.get(key);
      upload?.abort.abort();
      if (upload) remove(upload);
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

interface Start {
  client: MatrixClient;
  room: Room;
  file: File;
  key: string;
}

function itemOf({ client, room, file, key }: Start): UploadItem {
  return {
    type: "upload",
    key,
    at_ms: Date.now(),
    sender: personIn(room, client.getSafeUserId()),
    name: file.name,
    size_bytes: file.size,
    sent_bytes: 0,
    encrypted: room.hasEncryptionStateEvent(),
    phase: "preparing",
  };
}

interface Sending {
  upload: Upload;
  change: (changes: Partial<UploadItem>) => void;
}

/** Uploads the file, and its small picture; answers the message that tells of it. */
async function uploaded(client: MatrixClient, room: Room, { upload, change }: Sending): Promise<object> {
  const { file, abort } = upload;
  change({ encrypted: (await encryptionOf(client, room)) !== "none" });
  const picture = await pictureOf(file);
  const put = (data: Blob, onProgress?: (sent: number) => void) =>
    putFile(client, {
      data,
      encrypted: upload.item.encrypted,
      abort,
      ...(onProgress ? { onProgress } : {}),
      onEncrypt: () => change({ phase: "encrypting" }),
    });
  const thumbnail = picture?.thumbnail ? await put(picture.thumbnail.blob) : undefined;
  const main = await put(file, (sent_bytes) =>
    change({ phase: "uploading", sent_bytes: Math.min(sent_bytes, file.size) }),
  );
  change({ phase: "sending", sent_bytes: file.size });
  return contentOf(upload, { main, thumbnail, picture });
}

interface Put {
  url?: string;
  file?: EncryptedFile;
}

interface PutOptions {
  data: Blob;
  encrypted: boolean;
  abort: AbortController;
  onProgress?: (sent: number) => void;
  onEncrypt: () => void;
}

/** Uploads bytes; of an encrypted room, their ciphertext, whose kind and name the server never learns. */
async function putFile(
  client: MatrixClient,
  { data, encrypted, abort, onProgress, onEncrypt }: PutOptions,
): Promise<Put> {
  const options = {
    includeFilename: false,
    abortController: abort,
    progressHandler: ({ loaded }: { loaded: number }) => onProgress?.(loaded),
  };
  if (!encrypted) {
    const { content_uri: url } = await client.uploadContent(data, {
      ...options,
      type: data.type || "application/octet-stream",
    });
    return { url };
  }
  onEncrypt();
  const sealed = await encryptFile(await data.arrayBuffer());
  const { content_uri: url } = await client.uploadContent(new Blob([sealed.data]), {
    ...options,
    type: "application/octet-stream",
  });
  return { file: { ...sealed.info, url } };
}

function contentOf(
  { file, caption }: Upload,
  { main, thumbnail, picture }: { main: Put; thumbnail: Put | undefined; picture: Picture | null },
): object {
  const kind = picture
    ? "m.image"
    : file.type.startsWith("video/")
      ? "m.video"
      : file.type.startsWith("audio/")
        ? "m.audio"
        : "m.file";
  const small =
    thumbnail && picture?.thumbnail
      ? {
          thumbnail_url: thumbnail.url,
          thumbnail_file: thumbnail.file,
          thumbnail_info: {
            w: picture.thumbnail.width,
            h: picture.thumbnail.height,
            size: picture.thumbnail.blob.size,
            mimetype: picture.thumbnail.blob.type,
          },
        }
      : {};
  const size = picture ? { w: picture.width, h: picture.height } : {};
  return {
    msgtype: kind,
    body: caption || file.name,
    filename: file.name,
    ...main,
    info: { size: file.size, mimetype: file.type || "application/octet-stream", ...size, ...small },
    "m.mentions": {},
  };
}

function failureOf(error: unknown): string {
  const status = (error as { httpStatus?: number }).httpStatus;
  if (status === 413) return "the file is too large for this server";
  if (status === undefined) return "there is no connection";
  return (error as { data?: { error?: string } }).data?.error?.replace(/\.$/, "") ?? `the server answered ${status}`;
}
