// The part of Google Cloud Storage's JSON interface that keeps blobs: simple and resumable uploads, with tokens that are checked.
// https://cloud.google.com/storage/docs/json_api/v1

import { createHash, randomUUID } from "node:crypto";
import { type Answer, type Asked, type Cloud, rangeOf, serveCloud } from "./serve.ts";

export type GcsServer = Cloud & {
  bucket: string;
  objects: Map<string, Buffer>;
  /** Uploads that are under way. */
  uploads: Map<string, Upload>;
};

type Upload = { name: string; md5: string | undefined; got: Buffer };
type World = Pick<GcsServer, "bucket" | "objects" | "uploads"> & { isToken(token: string): boolean };

/** Chunks, the last aside, are multiples of this. */
const CHUNK_BYTES = 262_144;

export async function startGcs(isToken: (token: string) => boolean): Promise<GcsServer> {
  const world: World = { bucket: "media", objects: new Map(), uploads: new Map(), isToken };
  return { ...(await serveCloud((asked) => answer(world, asked))), ...world };
}

function answer(world: World, asked: Asked): Answer {
  const { method, path, headers, query, body } = asked;
  const token = /^Bearer (.+)$/.exec(headers["authorization"] ?? "")?.[1];
  if (token === undefined || !world.isToken(token)) return failure(401, "Invalid Credentials");
  const [, upload, bucket, name] = /^(\/upload)?\/storage\/v1\/b\/([^/]+)\/o(?:\/(.+))?$/.exec(path) ?? [];
  if (bucket !== world.bucket) return failure(404, "The specified bucket does not exist.");
  const uploadId = query.get("upload_id");
  if (uploadId !== null) return method === "DELETE" ? cancel(world, uploadId) : chunk(world, asked, uploadId);
  if (upload && query.get("uploadType") === "resumable") return begin(world, asked);
  if (upload) {
    const claimed = /^md5=(.+)$/.exec(headers["x-goog-hash"] ?? "")?.[1];
    return keep(world, query.get("name") ?? "", { bytes: body, md5: claimed });
  }
  const key = decodeURIComponent(name ?? "");
  const found = world.objects.get(key);
  if (!found) return failure(404, `No such object: ${world.bucket}/${key}`);
  if (method === "DELETE") {
    world.objects.delete(key);
    return { status: 204 };
  }
  return query.get("alt") === "media" ? rangeOf(found, headers["range"]) : json({ size: String(found.length) });
}

function keep({ objects }: World, name: string, { bytes, md5 }: { bytes: Buffer; md5: string | undefined }): Answer {
  const md5Hash = createHash("md5").update(bytes).digest("base64");
  if (md5 !== undefined && md5 !== md5Hash) return failure(400, "Provided MD5 hash does not match the calculated one.");
  objects.set(name, bytes);
  return json({ name, size: String(bytes.length), md5Hash });
}

function begin({ uploads, bucket }: World, { headers, body, query }: Asked): Answer {
  const id = randomUUID();
  const { md5Hash } = JSON.parse(String(body)) as { md5Hash?: string };
  uploads.set(id, { name: query.get("name") ?? "", md5: md5Hash, got: Buffer.alloc(0) });
  const location = `http://${headers["host"]}/upload/storage/v1/b/${bucket}/o?uploadType=resumable&upload_id=${id}`;
  return { status: 200, headers: { location } };
}

function chunk(world: World, { headers, body }: Asked, id: string): Answer {
  const upload = world.uploads.get(id);
  if (!upload) return failure(410, "The upload is gone.");
  const [, start, total] = /^bytes (?:(\d+)-\d+|\*)\/(\d+)$/.exec(headers["content-range"] ?? "") ?? [];
  if (start !== undefined) {
    if (Number(start) > upload.got.length) return failure(503, "A chunk is missing.");
    const isLast = Number(start) + body.length === Number(total);
    if (!isLast && body.length % CHUNK_BYTES !== 0) return failure(400, "A chunk is no multiple of 256 KiB.");
    upload.got = Buffer.concat([upload.got.subarray(0, Number(start)), body]);
  }
  if (upload.got.length === Number(total)) {
    world.uploads.delete(id);
    return keep(world, upload.name, { bytes: upload.got, md5: upload.md5 });
  }
  const range: Record<string, string> = upload.got.length > 0 ? { range: `bytes=0-${upload.got.length - 1}` } : {};
  return { status: 308, headers: range };
}

function cancel({ uploads }: World, id: string): Answer {
  uploads.delete(id);
  return { status: 499 };
}

function json(value: unknown): Answer {
  return { status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify(value) };
}

function failure(status: number, message: string): Answer {
  return { ...json({ error: { code: status, message } }), status };
}
