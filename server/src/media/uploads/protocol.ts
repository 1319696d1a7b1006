/** The words of tus, the protocol of uploads that go on after a cut. https://tus.io/protocols/resumable-upload, version 1.0.0. */
import { z } from "zod";
import type { Context } from "../../context.ts";
import { type MatrixError, matrixError } from "../../errors.ts";
import { Answer, type Request } from "../../http.ts";
import { limits } from "../../limits.ts";
import type { Upload } from "./queries.ts";

const VERSION = "1.0.0";
const CHUNK = "application/offset+octet-stream";

/** What answers carry besides the headers of cors.ts. */
export function tusHeaders(ctx: Context): Record<string, string> {
  return { "tus-max-size": String(ctx.config.mediaMax_bytes), "cache-control": "no-store" };
}

/** How far an upload is. */
export function stateHeaders(ctx: Context, upload: Upload): Record<string, string> {
  return {
    ...tusHeaders(ctx),
    "upload-offset": String(upload.offset_bytes),
    "upload-length": String(upload.total_bytes),
    "upload-expires": new Date(upload.expires_ms).toUTCString(),
    ...(upload.metadata ? { "upload-metadata": upload.metadata } : {}),
  };
}

export function done(headers: Record<string, string>): Answer {
  return new Answer({ status: 204, headers, payload: "" });
}

type Headers = Request["headers"];

/** Throws 412 where the client speaks another version. */
export function requireVersion(headers: Headers): void {
  if (headers["tus-resumable"] !== VERSION)
    throw refused(
      412,
      `The request has no header "Tus-Resumable: ${VERSION}", which is the version that is spoken here.`,
    );
}

export function refused(status: number, message: string): MatrixError {
  return matrixError("M_INVALID_PARAM", message, { status });
}

/** Whether the request has bytes of the file. Throws 415 for a body of another type. */
export function hasChunk(headers: Headers): boolean {
  const type = headers["content-type"];
  const isEmpty = headers["content-length"] === "0" || (!headers["content-length"] && !headers["transfer-encoding"]);
  if (type === undefined && isEmpty) return false;
  if (type !== CHUNK) throw refused(415, `The bytes of an upload are sent with "Content-Type: ${CHUNK}".`);
  return true;
}

/** A header that is a number of bytes. Throws 400. */
export function bytesIn(headers: Headers, name: "upload-length" | "upload-offset"): number {
  const text = headers[name];
  if (typeof text !== "string" || !/^\d{1,15}$/.test(text))
    throw refused(400, `The header "${name}" is missing, or is no number of bytes.`);
  return Number(text);
}

const name = z.string().max(limits.fileName_characters);
const type = z
  .string()
  .max(limits.contentType_characters)
  .regex(/^[\x20-\x7e\x80-\xff]+$/);

export interface Named {
  metadata: string | null;
  fileName: string | null;
  contentType: string;
}

/** Reads `Upload-Metadata`: keys, each with a value in Base64, of which the file's name and type count. Throws 400. */
export function readMetadata(headers: Headers): Named {
  const metadata = headers["upload-metadata"];
  if (typeof metadata !== "string") return { metadata: null, fileName: null, contentType: "application/octet-stream" };
  if (metadata.length > limits.uploadMetadata_characters) throw refused(400, '"Upload-Metadata" is too long.');
  const pairs = metadata.split(",").map((pair) => pair.trim().split(" ", 2));
  const valueOf = (...keys: string[]) => {
    const [, base64] = pairs.find(([key = ""]) => keys.includes(key)) ?? [];
    return base64 === undefined
      ? undefined
      : Buffer.from(base64, "base64").toString().replaceAll("\0", "").toWellFormed();
  };
  const read = z.object({ fileName: name.optional(), contentType: type.optional() }).safeParse({
    fileName: valueOf("filename", "name"),
    contentType: valueOf("filetype", "type", "contentType") || undefined,
  });
  if (!read.success) throw refused(400, '"Upload-Metadata" has a filename or filetype that can not be one.');
  const { fileName = null, contentType = "application/octet-stream" } = read.data;
  return { metadata, fileName, contentType };
}
