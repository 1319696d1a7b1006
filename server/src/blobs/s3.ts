/**
 * S3, of Amazon or anybody else: MinIO, Ceph, Garage, R2. Every body is signed with its SHA-256, which the store checks; a large
 * file is a multipart upload, which becomes visible when it is completed.
 */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  S3Client,
  type S3ServiceException,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { Readable } from "node:stream";
import { limits } from "../limits.ts";
import type { Seams } from "../seams.ts";
import { type Address, valueOf } from "../secrets/address.ts";
import { type Content, type ObjectStore, rangeHeader } from "./object-store.ts";

export interface S3Options {
  bucket: string;
  region: string;
  /** undefined for Amazon's own. */
  endpoint: string | undefined;
  /** Where there are none, the SDK finds them: a web identity (IRSA), a pod identity, the instance's role. */
  credentials: { accessKeyId: Address; secretAccessKey: Address } | undefined;
  seams: Seams;
}

/** S3 takes 10,000 parts at the most. */
const PARTS_MAX = 10_000;

interface Bucket {
  client: S3Client;
  Bucket: string;
}

export function openS3(options: S3Options): ObjectStore {
  const bucket = { client: createClient(options), Bucket: options.bucket };
  const { client, Bucket } = bucket;
  return {
    name: `the bucket ${Bucket} of ${options.endpoint ?? "Amazon S3"}`,
    async size(Key) {
      const found = await unlessMissing(client.send(new HeadObjectCommand({ Bucket, Key })));
      return found?.ContentLength;
    },
    write: (key, content) =>
      content.size_bytes <= limits.blobPart_bytes ? putWhole(bucket, key, content) : putInParts(bucket, key, content),
    async read(Key, range) {
      const Range = rangeHeader(range);
      const asked = client.send(new GetObjectCommand({ Bucket, Key, ...(Range ? { Range } : {}) }));
      const found = await unlessMissing(asked).catch((thrown: S3ServiceException) => {
        if (thrown.$metadata?.httpStatusCode === 416) return "nothing" as const;
        throw thrown;
      });
      return found === "nothing" ? Readable.from([]) : (found?.Body as Readable | undefined);
    },
    async remove(Key) {
      await client.send(new DeleteObjectCommand({ Bucket, Key }));
    },
    dropAbandoned: (age_ms) => dropAbandoned(bucket, options.seams.now_ms() - age_ms),
    close: () => client.destroy(),
  };
}

function createClient({ region, endpoint, credentials, seams }: S3Options): S3Client {
  return new S3Client({
    region,
    maxAttempts: limits.cloudTries,
    // Bodies are signed with their hash already, and not every store knows the newer checksums.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: { connectionTimeout: limits.blobsAway_ms, socketTimeout: limits.cloudAnswer_ms },
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    ...(credentials && {
      // They may have been changed: what is at its end is asked for anew by each request.
      credentials: async () => ({
        accessKeyId: valueOf(credentials.accessKeyId),
        secretAccessKey: valueOf(credentials.secretAccessKey),
        expiration: new Date(seams.now_ms()),
      }),
    }),
  });
}

async function unlessMissing<T>(asked: Promise<T>): Promise<T | undefined> {
  return asked.catch((thrown: S3ServiceException) => {
    // A bucket that is missing is a wrong setting, not a missing object. HEAD has no body that could tell them apart.
    if (thrown.name === "NoSuchKey" || thrown.name === "NotFound") return undefined;
    throw thrown;
  });
}

async function putWhole({ client, Bucket }: Bucket, Key: string, content: Content): Promise<void> {
  const ChecksumSHA256 = Buffer.from(content.sha256, "hex").toString("base64");
  await content.withBytes(0, content.size_bytes, (Body) =>
    client.send(new PutObjectCommand({ Bucket, Key, Body, ChecksumSHA256 })),
  );
}

async function putInParts(bucket: Bucket, Key: string, content: Content): Promise<void> {
  const { client, Bucket } = bucket;
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const upload = { Bucket, Key, UploadId };
  const part_bytes = Math.max(limits.blobPart_bytes, Math.ceil(content.size_bytes / PARTS_MAX));
  try {
    const Parts = await content.inParts(part_bytes, async ({ index, bytes }) => {
      const PartNumber = index + 1;
      const { ETag } = await client.send(new UploadPartCommand({ ...upload, PartNumber, Body: bytes }));
      return { PartNumber, ETag };
    });
    await client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
  } catch (thrown) {
    // The answer to a completion may be lost; when it is asked again there is no such upload any more.
    if ((thrown as S3ServiceException).name === "NoSuchUpload" && (await isThere(bucket, Key, content))) return;
    // What can not be thrown away now is found by its age.
    await client.send(new AbortMultipartUploadCommand(upload)).catch(() => {});
    throw thrown;
  }
}

async function isThere({ client, Bucket }: Bucket, Key: string, { size_bytes }: Content): Promise<boolean> {
  const found = await unlessMissing(client.send(new HeadObjectCommand({ Bucket, Key })));
  return found?.ContentLength === size_bytes;
}

async function dropAbandoned({ client, Bucket }: Bucket, before_ms: number): Promise<void> {
  let after: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } = {};
  for (;;) {
    const page = await client.send(new ListMultipartUploadsCommand({ Bucket, ...after }));
    for (const { Key, UploadId, Initiated } of page.Uploads ?? [])
      if (Initiated && Initiated.getTime() < before_ms)
        await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
    if (!page.IsTruncated) return;
    after = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
  }
}
