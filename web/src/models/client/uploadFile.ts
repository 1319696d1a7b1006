/** A file becomes a message: prepared, encrypted where the room is, uploaded. */
import type { MatrixClient, Room } from "matrix-js-sdk";
import { encryptFile } from "../media/encrypt.ts";
import type { EncryptedFile, UploadItem } from "../timeline/item.ts";
import { encryptionOf } from "./encryption.ts";
import { type Picture, pictureOf } from "./picture.ts";

export interface Sending {
  file: File;
  caption: string | undefined;
  abort: AbortController;
  change: (changes: Partial<UploadItem>) => void;
}

/** Uploads the file, and its small picture; answers the content of the message that tells of it. */
export async function uploadFile(client: MatrixClient, room: Room, sending: Sending): Promise<object> {
  const { file, abort, change } = sending;
  const encrypted = (await encryptionOf(client, room)) !== "none";
  change({ encrypted });
  const picture = await pictureOf(file);
  const put = (data: Blob, onProgress?: (sent: number) => void) =>
    putFile(client, {
      data,
      encrypted,
      abort,
      ...(onProgress ? { onProgress } : {}),
      onEncrypt: () => change({ phase: "encrypting" }),
    });
  const thumbnail = picture?.thumbnail ? await put(picture.thumbnail.blob) : undefined;
  const main = await put(file, (sent_bytes) =>
    change({ phase: "uploading", sent_bytes: Math.min(sent_bytes, file.size) }),
  );
  change({ phase: "sending", sent_bytes: file.size });
  return contentOf(sending, { main, thumbnail, picture });
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
  { file, caption }: Sending,
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
