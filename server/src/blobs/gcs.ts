/**
 * Google Cloud Storage, by its JSON interface. A large file is a resumable upload, which goes on where it was cut, and
 * becomes an object when its last byte is there and its MD5 is right; one that nobody goes on with ends after a week.
 * https://cloud.google.com/storage/docs/json_api/v1, https://cloud.google.com/storage/docs/performing-resumable-uploads
 */
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import { z } from "zod";
import { ask, type Asking, askJson, CloudError } from "../cloud/ask.ts";
import { limits } from "../limits.ts";
import type { Seams } from "../seams.ts";
import { type Content, type ObjectStore, rangeHeader } from "./object-store.ts";

export interface GcsOptions {
  bucket: string;
  /** Such as https://storage.googleapis.com. */
  endpoint: string;
  /** Gives an access token. */
  token(): Promise<string>;
  seams: Seams;
}

type Send = (request: Omit<Asking, "service" | "headers"> & { headers?: Record<string, string> }) => Asking;

interface Bucket {
  seams: Seams;
  asking: Send;
  objects: string;
  uploads: string;
}

const object = z.looseObject({ size: z.coerce.number(), md5Hash: z.string().optional() });

export function openGcs(options: GcsOptions): ObjectStore {
  const { endpoint, bucket: name, seams } = options;
  const base = endpoint.replace(/\/+$/, "");
  const bucket: Bucket = {
    seams,
    asking: askingWith(options.token),
    objects: `${base}/storage/v1/b/${encodeURIComponent(name)}/o`,
    uploads: `${base}/upload/storage/v1/b/${encodeURIComponent(name)}/o`,
  };
  const { asking, objects } = bucket;
  const urlOf = (key: string) => `${objects}/${encodeURIComponent(key)}`;
  return {
    name: `the bucket ${name} of ${base}`,
    async size(key) {
      const answer = await ask(seams, asking({ url: `${urlOf(key)}?fields=size`, expected: [404] }));
      const found: unknown = await answer.json().catch(() => undefined);
      return answer.status === 404 ? undefined : object.parse(found).size;
    },
    write: (key, content) =>
      content.size_bytes <= limits.blobPart_bytes ? putWhole(bucket, key, content) : putResumable(bucket, key, content),
    async read(key, range) {
      const wanted = rangeHeader(range);
      const answer = await ask(
        seams,
        asking({ url: `${urlOf(key)}?alt=media`, expected: [404, 416], headers: wanted ? { range: wanted } : {} }),
      );
      if (answer.ok && answer.body) return Readable.fromWeb(answer.body as ReadableStream);
      await answer.body?.cancel();
      return answer.status === 404 ? undefined : Readable.from([]);
    },
    async remove(key) {
      const answer = await ask(seams, asking({ method: "DELETE", url: urlOf(key), expected: [404] }));
      await answer.body?.cancel();
    },
    close: () => {},
  };
}

function askingWith(token: GcsOptions["token"]): Send {
  return ({ headers, ...request }) => ({
    ...request,
    service: "Google Cloud Storage",
    headers: async () => ({ ...headers, authorization: `Bearer ${await token()}` }),
  });
}

/** The store refuses what does not have this MD5. */
async function putWhole({ seams, asking, uploads }: Bucket, key: string, content: Content): Promise<void> {
  const url = `${uploads}?uploadType=media&name=${encodeURIComponent(key)}`;
  const headers = { "content-type": "application/octet-stream", "x-goog-hash": `md5=${content.md5}` };
  await content.withBytes(0, content.size_bytes, (body) =>
    askJson(seams, asking({ method: "POST", url, headers, body })),
  );
}

async function putResumable(bucket: Bucket, key: string, content: Content): Promise<void> {
  const { seams, asking } = bucket;
  const session = await beginUpload(bucket, key, content);
  try {
    let start = 0;
    let broken = 0;
    while (start < content.size_bytes) {
      const reached = await sendChunk({ ...bucket, session }, content, start);
      broken = reached > start ? 0 : broken + 1;
      if (broken >= limits.cloudTries) throw new CloudError("Google Cloud Storage takes no more of an upload");
      start = reached;
    }
  } catch (thrown) {
    const ending = asking({ method: "DELETE", url: session, expected: [404, 499, 410] });
    await ask(seams, ending).then(
      (answer) => answer.body?.cancel(),
      () => {},
    );
    throw thrown;
  }
}

async function beginUpload({ seams, asking, uploads }: Bucket, key: string, content: Content): Promise<string> {
  const begun = await ask(
    seams,
    asking({
      method: "POST",
      url: `${uploads}?uploadType=resumable&name=${encodeURIComponent(key)}`,
      headers: { "content-type": "application/json", "x-upload-content-length": String(content.size_bytes) },
      body: JSON.stringify({ name: key, md5Hash: content.md5 }),
    }),
  );
  await begun.body?.cancel();
  const session = begun.headers.get("location");
  if (!session) throw new CloudError("Google Cloud Storage began an upload and did not say where it goes on");
  return session;
}

/** How far the upload is after this chunk. What was taken of a chunk that broke is asked for. */
async function sendChunk(bucket: Bucket & { session: string }, content: Content, start: number): Promise<number> {
  const total = content.size_bytes;
  const sent = await content.withBytes(start, limits.blobPart_bytes, (body) =>
    putChunk(bucket, `bytes ${start}-${start + body.length - 1}/${total}`, body).catch((thrown: unknown) => {
      // A chunk that was taken, and whose answer was lost, is refused when it comes again.
      const { status } = thrown as { status?: number };
      if (!(thrown instanceof CloudError) || (status !== undefined && status < 500 && status !== 400)) throw thrown;
      return putChunk(bucket, `bytes */${total}`, Buffer.alloc(0));
    }),
  );
  await sent.body?.cancel();
  if (sent.ok) return total;
  const taken = /^bytes=0-(\d+)$/.exec(sent.headers.get("range") ?? "");
  return taken ? Number(taken[1]) + 1 : 0;
}

function putChunk({ seams, asking, session }: Bucket & { session: string }, range: string, body: Buffer) {
  const headers = { "content-range": range };
  return ask(seams, asking({ method: "PUT", url: session, expected: [308], headers, body }));
}
