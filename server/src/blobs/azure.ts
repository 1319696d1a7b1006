/**
 * Azure Blob Storage, by its REST interface (version 2021-12-02). A large file is put in blocks, which become a blob when
 * their list is put; blocks of which no list is put are thrown away by Azure after a week.
 * https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api
 */
import { createHash, createHmac } from "node:crypto";
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import { ask, type Asking } from "../cloud/ask.ts";
import type { Tokens } from "../cloud/azure-identity.ts";
import { limits } from "../limits.ts";
import type { Seams } from "../seams.ts";
import { type Address, valueOf } from "../secrets/address.ts";
import { type Content, type ObjectRange, type ObjectStore, rangeHeader } from "./object-store.ts";

export interface AzureOptions {
  account: string;
  container: string;
  /** Such as https://account.blob.core.windows.net. */
  endpoint: string;
  /** The account's key, or how to get tokens. */
  access: { key: Address } | { tokens: Tokens };
  seams: Seams;
}

const VERSION = "2021-12-02";
const RESOURCE = "https://storage.azure.com";
/** Azure takes 50,000 blocks at the most. */
const BLOCKS_MAX = 50_000;

type Request = Pick<Asking, "method" | "expected"> & {
  /** `comp=block&blockid=…`, sorted. */
  query?: string;
  headers?: Record<string, string>;
  body?: Buffer;
};
type Send = (name: string, request: Request) => Promise<Response>;

export function openAzure(options: AzureOptions): ObjectStore {
  const send = senderOf(options);
  const missing = [404];
  return {
    name: `the container ${options.container} of ${options.endpoint}`,
    async size(name) {
      const answer = await send(name, { method: "HEAD", expected: missing });
      return isMissing(answer) ? undefined : Number(answer.headers.get("content-length"));
    },
    write: (name, content) =>
      content.size_bytes <= limits.blobPart_bytes ? putWhole(send, name, content) : putInBlocks(send, name, content),
    read: (name, range) => read(send, name, range),
    async remove(name) {
      await drained(send(name, { method: "DELETE", expected: missing }));
    },
    close: () => {},
  };
}

/** Azure says what is missing; a container that is has another code, and is a wrong setting. A HEAD says so as well. */
function isMissing(answer: Response): boolean {
  if (answer.status !== 404) return false;
  const code = answer.headers.get("x-ms-error-code");
  if (code !== "BlobNotFound" && code !== null) throw new Error(`Azure answered 404 (${code})`);
  return true;
}

async function drained(asked: Promise<Response>): Promise<Response> {
  const answer = await asked;
  await answer.body?.cancel();
  return answer;
}

async function read(send: Send, name: string, range: ObjectRange | undefined): Promise<Readable | undefined> {
  const wanted = rangeHeader(range);
  const answer = await send(name, {
    method: "GET",
    expected: [404, 416],
    headers: wanted ? { "x-ms-range": wanted } : {},
  });
  if (answer.ok && answer.body) return Readable.fromWeb(answer.body as ReadableStream);
  await answer.body?.cancel();
  return isMissing(answer) ? undefined : Readable.from([]);
}

/** Azure checks what arrives against its MD5. */
function bodyHeaders(bytes: Buffer, md5 = createHash("md5").update(bytes).digest("base64")): Record<string, string> {
  return {
    "content-length": String(bytes.length),
    "content-md5": md5,
    "content-type": "application/octet-stream",
  };
}

async function putWhole(send: Send, name: string, content: Content): Promise<void> {
  await content.withBytes(0, content.size_bytes, (body) => {
    const headers = { ...bodyHeaders(body, content.md5), "x-ms-blob-type": "BlockBlob" };
    return drained(send(name, { method: "PUT", headers, body }));
  });
}

async function putInBlocks(send: Send, name: string, content: Content): Promise<void> {
  const part_bytes = Math.max(limits.blobPart_bytes, Math.ceil(content.size_bytes / BLOCKS_MAX));
  const ids = await content.inParts(part_bytes, async ({ index, bytes }) => {
    // All ids of a blob have the same length. Another upload of the same file writes the same blocks.
    const id = Buffer.from(String(index).padStart(6, "0")).toString("base64");
    const query = `blockid=${encodeURIComponent(id)}&comp=block`;
    await drained(send(name, { method: "PUT", query, headers: bodyHeaders(bytes), body: bytes }));
    return id;
  });
  const list = ids.map((id) => `<Latest>${id}</Latest>`).join("");
  const body = Buffer.from(`<?xml version="1.0" encoding="utf-8"?><BlockList>${list}</BlockList>`);
  const headers = { ...bodyHeaders(body), "x-ms-blob-content-md5": content.md5 };
  await drained(send(name, { method: "PUT", query: "comp=blocklist", headers, body }));
}

function senderOf({ account, container, endpoint, access, seams }: AzureOptions): Send {
  const base = new URL(`${endpoint.replace(/\/+$/, "")}/${container}/`);
  return (name, { method = "GET", query = "", headers = {}, body, expected = [] }) => {
    const path = base.pathname + name;
    const signed = async () => {
      const all: Record<string, string> = {
        ...headers,
        "x-ms-date": new Date(seams.now_ms()).toUTCString(),
        "x-ms-version": VERSION,
      };
      const authorization =
        "tokens" in access
          ? `Bearer ${await access.tokens(RESOURCE)}`
          : `SharedKey ${account}:${signature(valueOf(access.key), { method, path, query, account, headers: all })}`;
      return { ...all, authorization };
    };
    const url = `${base.origin}${path}${query && `?${query}`}`;
    return ask(seams, {
      service: "Azure Blob Storage",
      method,
      url,
      headers: signed,
      expected,
      ...(body ? { body } : {}),
    });
  };
}

export interface Signing {
  method: string;
  path: string;
  query: string;
  account: string;
  headers: Record<string, string>;
}

/** https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key */
export function signature(key: string, { method, path, query, account, headers }: Signing): string {
  const plain = [
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
  ].map((name) => (headers[name] === "0" ? "" : (headers[name] ?? "")));
  const own = Object.keys(headers).filter((name) => name.startsWith("x-ms-"));
  const canonicalHeaders = own.toSorted().map((name) => `${name}:${headers[name]}\n`);
  const parameters = [...new URLSearchParams(query)].map(([name, value]) => `\n${name}:${value}`).toSorted();
  const text = `${[method, ...plain].join("\n")}\n${canonicalHeaders.join("")}/${account}${path}${parameters.join("")}`;
  return createHmac("sha256", Buffer.from(key, "base64")).update(text, "utf8").digest("base64");
}
