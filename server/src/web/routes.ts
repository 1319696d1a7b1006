/** The web messenger and, below /admin, the operators' console: their files, and the page of each for every address that is its own. */
import { fileURLToPath } from "node:url";
import type { IncomingHttpHeaders } from "node:http";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { Answer, route, type Route } from "../http.ts";
import { type Asset, type Encoding, readAssets } from "./assets.ts";

const FOLDER = fileURLToPath(new URL("../../../web/dist/", import.meta.url));
const CONSOLE_FOLDER = fileURLToPath(new URL("../../../operator/dist/", import.meta.url));
const CONSOLE = "/admin";

/** Nothing from elsewhere, no inline script, no plug-in, no framing. WebAssembly is the cryptography. */
const POLICY = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  "font-src 'self'",
  // Whoever uses another homeserver than this one must be able to reach it.
  "connect-src 'self' https: blob:",
  "worker-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  // Only for the document in which a message's HTML is looked at and never shown, and for the address of the service worker.
  "trusted-types parley-inert parley-worker",
].join("; ");

/** The console's: it speaks with this server alone, decrypts nothing and handles no HTML. */
const CONSOLE_POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

const SECURITY = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "permissions-policy": "camera=(self), microphone=(self), geolocation=()",
};

const assetsOf = new WeakMap<Context, Map<string, Asset>>();

/** Reads the built apps. */
export async function start(
  ctx: Context,
  folder = FOLDER,
  consoleFolder = CONSOLE_FOLDER,
): Promise<() => Promise<void>> {
  const [app, console] = await Promise.all([readAssets(folder), readAssets(consoleFolder)]);
  const below = [...console].map(([path, asset]) => [`${CONSOLE}${path}`, asset] as const);
  assetsOf.set(ctx, new Map([...app, ...below]));
  return async () => {};
}

function isConsole(path: string): boolean {
  return path === CONSOLE || path.startsWith(`${CONSOLE}/`);
}

function encodingFor(headers: IncomingHttpHeaders, asset: Asset): Encoding {
  const accepted = headers["accept-encoding"] ?? "";
  if (asset.isPacked) return "identity";
  return /\bbr\b/.test(accepted) ? "br" : /\bgzip\b/.test(accepted) ? "gzip" : "identity";
}

async function answer(asset: Asset, headers: IncomingHttpHeaders, policy: string): Promise<Answer> {
  const caching = asset.isImmutable ? "public, max-age=31536000, immutable" : "no-cache";
  const common = {
    ...SECURITY,
    "content-security-policy": policy,
    etag: asset.etag,
    "cache-control": caching,
    "content-type": asset.type,
    vary: "accept-encoding",
  };
  if (headers["if-none-match"] === asset.etag) return new Answer({ status: 304, headers: common, payload: "" });
  const encoding = encodingFor(headers, asset);
  const encoded: Record<string, string> = encoding === "identity" ? {} : { "content-encoding": encoding };
  return new Answer({ headers: { ...common, ...encoded }, payload: await asset.bytes(encoding) });
}

function decoded(path: string): string {
  try {
    return decodeURI(path);
  } catch {
    throw matrixError("M_INVALID_PARAM", "The address has a percent sign that encodes nothing.");
  }
}

/** A file of an app; its page for any other address, since each app knows its own; never for the paths of an API. */
function find(assets: ReadonlyMap<string, Asset>, path: string): Asset {
  const file = assets.get(path);
  if (file) return file;
  const isApi = ["/_", "/.well-known/", "/api/"].some((start) => path.startsWith(start));
  const isFile = path.startsWith("/assets/") || path.startsWith(`${CONSOLE}/assets/`);
  const page = assets.get(isConsole(path) ? `${CONSOLE}/index.html` : "/index.html");
  if (isApi || isFile) throw matrixError("M_UNRECOGNIZED", `There is nothing at ${path}.`);
  if (!page)
    throw matrixError(
      "M_NOT_FOUND",
      "The web app is not built. Start with npm start, or run npm run build -w web -w operator.",
    );
  return page;
}

export const routes: readonly Route[] = [
  route({
    method: "GET",
    path: "/*",
    access: "anyone",
    handle: ({ path, headers }, ctx) => {
      const address = decoded(path);
      const asset = find(assetsOf.get(ctx) as Map<string, Asset>, address);
      return answer(asset, headers, isConsole(address) ? CONSOLE_POLICY : POLICY);
    },
  }),
];
