// The part of S3 that keeps blobs: objects, multipart uploads and their list, and signatures that are checked.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html

import { createHash, randomUUID } from "node:crypto";
import { type Answer, type Asked, type Cloud, rangeOf, serveCloud } from "./serve.ts";
import { type AwsKeys, refusalOf } from "./sigv4.ts";

export type S3Server = Cloud & {
  keys: AwsKeys;
  bucket: string;
  /** What can be seen. */
  objects: Map<string, Buffer>;
  uploads: Map<string, Upload>;
};

type Upload = { key: string; begun: Date; parts: Map<number, Buffer> };

/** The least that a part may have, the last one aside. */
const PART_BYTES = 5 * 1_048_576;

type World = Pick<S3Server, "keys" | "bucket" | "objects" | "uploads">;

export async function startS3(): Promise<S3Server> {
  const world: World = {
    keys: { accessKeyId: "AKIATEST", secretAccessKey: "a/secret+key" },
    bucket: "media",
    objects: new Map(),
    uploads: new Map(),
  };
  return Object.assign(world, await serveCloud((asked) => answer(world, asked)));
}

function answer(world: World, asked: Asked): Answer {
  const refused = refusalOf(asked, world.keys, "s3");
  if (refused) return failure(403, refused);
  const [bucket, ...rest] = decodeURIComponent(asked.path).slice(1).split("/");
  if (bucket !== world.bucket) return failure(404, "NoSuchBucket");
  const key = rest.join("/");
  if (key === "") return asked.query.has("uploads") ? listUploads(world) : failure(501, "NotImplemented");
  const uploadId = asked.query.get("uploadId");
  if (asked.query.has("uploads") && asked.method === "POST") return begin(world, key);
  if (uploadId !== null) return part(world, asked, uploadId);
  return onObject(world, asked, key);
}

function onObject({ objects }: World, { method, headers, body }: Asked, key: string): Answer {
  const found = objects.get(key);
  switch (method) {
    case "PUT": {
      const claimed = headers["x-amz-checksum-sha256"];
      if (claimed && claimed !== createHash("sha256").update(body).digest("base64")) return failure(400, "BadDigest");
      objects.set(key, body);
      return { status: 200, headers: { etag: etag(body) } };
    }
    case "DELETE":
      objects.delete(key);
      return { status: 204 };
    case "HEAD":
      return found ? { status: 200, headers: { "content-length": String(found.length) } } : { status: 404 };
    case "GET": {
      const got = found ? rangeOf(found, headers["range"]) : failure(404, "NoSuchKey");
      return got.status === 416 ? failure(416, "InvalidRange") : got;
    }
    default:
      return failure(405, "MethodNotAllowed");
  }
}

function begin({ uploads }: World, key: string): Answer {
  const uploadId = randomUUID();
  uploads.set(uploadId, { key, begun: new Date(), parts: new Map() });
  return xml(`<InitiateMultipartUploadResult><UploadId>${uploadId}</UploadId></InitiateMultipartUploadResult>`);
}

function part(world: World, { method, query, body }: Asked, uploadId: string): Answer {
  const upload = world.uploads.get(uploadId);
  if (!upload) return failure(404, "NoSuchUpload");
  if (method === "PUT") {
    upload.parts.set(Number(query.get("partNumber")), body);
    return { status: 200, headers: { etag: etag(body) } };
  }
  if (method === "POST") return complete(world, uploadId, { upload, list: String(body) });
  world.uploads.delete(uploadId);
  return { status: 204 };
}

function complete(world: World, uploadId: string, { upload, list }: { upload: Upload; list: string }): Answer {
  const named = [...list.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = ""]) => ({
    tag: (/<ETag>(.*?)<\/ETag>/.exec(part)?.[1] ?? "").replaceAll("&quot;", '"'),
    number: Number(/<PartNumber>(\d+)<\/PartNumber>/.exec(part)?.[1]),
  }));
  const parts = named.map(({ number }) => upload.parts.get(number));
  if (named.length === 0 || parts.some((bytes, i) => !bytes || etag(bytes) !== named[i]?.tag))
    return failure(400, "InvalidPart");
  if (parts.slice(0, -1).some((bytes) => (bytes?.length ?? 0) < PART_BYTES)) return failure(400, "EntityTooSmall");
  world.objects.set(upload.key, Buffer.concat(parts as Buffer[]));
  world.uploads.delete(uploadId);
  return xml(`<CompleteMultipartUploadResult><Key>${upload.key}</Key></CompleteMultipartUploadResult>`);
}

function listUploads({ uploads }: World): Answer {
  const each = [...uploads].map(
    ([id, { key, begun }]) =>
      `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${begun.toISOString()}</Initiated></Upload>`,
  );
  const list = `<IsTruncated>false</IsTruncated>${each.join("")}`;
  return xml(`<ListMultipartUploadsResult>${list}</ListMultipartUploadsResult>`);
}

function etag(bytes: Buffer): string {
  return `"${createHash("md5").update(bytes).digest("hex")}"`;
}

function xml(text: string): Answer {
  return { status: 200, headers: { "content-type": "application/xml" }, body: `<?xml version="1.0"?>${text}` };
}

export function failure(status: number, code: string): Answer {
  return { ...xml(`<Error><Code>${code}</Code><Message>${code}</Message></Error>`), status };
}
