/** The files of the built web app, read once and kept compressed. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname, join, relative, sep } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".wasm": "application/wasm",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".txt": "text/plain; charset=utf-8",
};

/** What gains nothing from being compressed again. */
const PACKED = new Set([".png", ".ico", ".woff2"]);

export type Encoding = "br" | "gzip" | "identity";

export interface Asset {
  type: string;
  etag: string;
  /** Its name holds a hash of its content, so it never changes. */
  isImmutable: boolean;
  /** The bytes in an encoding; compressed when first asked for. */
  bytes(encoding: Encoding): Promise<Buffer>;
  isPacked: boolean;
}

/** All files below a folder by their path, such as /assets/main-4f2a.js. Empty where there is no such folder. */
export async function readAssets(folder: string): Promise<Map<string, Asset>> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    },
  );
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(
      files.map(async (file) => [`/${relative(folder, file).split(sep).join("/")}`, await readAsset(file)] as const),
    ),
  );
}

async function readAsset(file: string): Promise<Asset> {
  const content = await readFile(file);
  const extension = extname(file);
  const encoded = new Map<Encoding, Promise<Buffer>>();
  return {
    type: TYPES[extension] ?? "application/octet-stream",
    etag: `"${createHash("sha256").update(content).digest("base64url").slice(0, 22)}"`,
    isImmutable: file.includes(`${sep}assets${sep}`),
    isPacked: PACKED.has(extension),
    bytes(encoding) {
      let bytes = encoded.get(encoding);
      if (!bytes) encoded.set(encoding, (bytes = compress(content, encoding)));
      return bytes;
    },
  };
}

const brotli = promisify(brotliCompress);
const zip = promisify(gzip);

function compress(content: Buffer, encoding: Encoding): Promise<Buffer> {
  // Quality 5 is done in an instant, and close enough to the best for files that are fetched once.
  if (encoding === "br") return brotli(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } });
  if (encoding === "gzip") return zip(content);
  return Promise.resolve(content);
}
