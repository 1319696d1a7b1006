import type { MatrixClient } from "matrix-js-sdk";
import type { MediaLoader } from "../messenger.ts";
import { decryptFile } from "../media/encrypt.ts";
import type { MediaSource } from "../timeline/item.ts";

/** How many decrypted files stay in memory. The oldest go first. */
const KEPT = 200;

/** What a file may be shown as. Everything else is only ever downloaded: a page of the sender's must not run here. */
const SHOWN = /^(image\/(png|jpeg|gif|webp|avif|bmp)|video\/(mp4|webm|ogg)|audio\/[\w.+-]+)$/;

/** Fetches files with the session's rights (authenticated media, Matrix 1.11), decrypts them, and keeps them as `blob:` addresses. */
export function mediaLoader(client: MatrixClient): MediaLoader & { stop: () => void } {
  const kept = new Map<string, Promise<string>>();
  const load = (key: string, make: () => Promise<Blob>): Promise<string> => {
    const known = kept.get(key);
    if (known) {
      kept.delete(key);
      kept.set(key, known);
      return known;
    }
    const url = make().then((blob) => URL.createObjectURL(blob));
    kept.set(key, url);
    url.catch(() => kept.delete(key));
    forgetOldest(kept);
    return url;
  };
  return {
    url: (source) => load(source.file?.url ?? source.mxc, () => fetchFile(client, source)),
    avatar: (mxc, size_px) => load(`${mxc} ${size_px}`, () => fetchAvatar(client, mxc, size_px)),
    stop: () => {
      for (const url of kept.values()) url.then(URL.revokeObjectURL, () => undefined);
      kept.clear();
    },
  };
}

function forgetOldest(kept: Map<string, Promise<string>>): void {
  if (kept.size <= KEPT) return;
  const [oldest] = kept.keys();
  if (oldest === undefined) return;
  kept.get(oldest)?.then(URL.revokeObjectURL, () => undefined);
  kept.delete(oldest);
}

async function fetchFile(client: MatrixClient, source: MediaSource): Promise<Blob> {
  const address = client.mxcUrlToHttp(
    source.file?.url ?? source.mxc,
    undefined,
    undefined,
    undefined,
    false,
    true,
    true,
  );
  const data = await fetchBytes(client, address);
  const plain = source.file ? await decryptFile(data, source.file) : data;
  const type = SHOWN.test(source.mime) ? source.mime : "application/octet-stream";
  return new Blob([plain], { type });
}

async function fetchAvatar(client: MatrixClient, mxc: string, size_px: number): Promise<Blob> {
  const address = client.mxcUrlToHttp(mxc, size_px, size_px, "crop", false, true, true);
  return new Blob([await fetchBytes(client, address)], { type: "image/png" });
}

async function fetchBytes(client: MatrixClient, address: string | null): Promise<ArrayBuffer> {
  if (!address) throw new Error("this is no address of a file");
  const headers = { Authorization: `Bearer ${client.getAccessToken()}` };
  const response = await client.http.fetch(address, { headers });
  if (!response.ok)
    throw new Error(
      response.status === 404 ? "the file is no longer on the server" : `the server answered ${response.status}`,
    );
  return response.arrayBuffer();
}
