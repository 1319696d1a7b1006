// The part of Azure Blob Storage that keeps blobs, with the account's key or tokens, both checked.
// https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api

import { createHash, createHmac } from "node:crypto";
import { type Answer, type Asked, type Cloud, rangeOf, serveCloud } from "./serve.ts";

export type AzureBlobServer = Cloud & {
  account: string;
  container: string;
  key: string;
  objects: Map<string, Buffer>;
  /** Blocks by name and id: those of which no list was put yet, and those of the blob. */
  blocks: Map<string, Map<string, Buffer>>;
};

type World = Pick<AzureBlobServer, "account" | "container" | "key" | "objects" | "blocks"> & {
  isToken(token: string): boolean;
};

/** `isToken` says whether a token is one that Entra gave out. */
export async function startAzureBlob(isToken: (token: string) => boolean = () => false): Promise<AzureBlobServer> {
  const world: World = {
    account: "parleytest",
    container: "media",
    key: Buffer.from("the key of the account").toString("base64"),
    objects: new Map(),
    blocks: new Map(),
    isToken,
  };
  return { ...(await serveCloud((asked) => answer(world, asked))), ...world };
}

function answer(world: World, asked: Asked): Answer {
  const { headers, body, path, query, method } = asked;
  if (!isAllowed(world, asked)) return failure(403, "AuthenticationFailed");
  const [container, ...rest] = decodeURIComponent(path).slice(1).split("/");
  if (container !== world.container) return failure(404, "ContainerNotFound");
  const name = rest.join("/");
  const claimed = headers["content-md5"];
  if (claimed && claimed !== createHash("md5").update(body).digest("base64")) return failure(400, "Md5Mismatch");
  if (method === "PUT") return put(world, name, { comp: query.get("comp"), id: query.get("blockid") ?? "", body });
  const found = world.objects.get(name);
  if (!found) return failure(404, "BlobNotFound");
  if (method === "DELETE") {
    world.objects.delete(name);
    return { status: 202 };
  }
  if (method === "HEAD") return { status: 200, headers: { "content-length": String(found.length) } };
  const got = rangeOf(found, headers["x-ms-range"] ?? headers["range"]);
  return got.status === 416 ? failure(416, "InvalidRange") : got;
}

type Putting = { comp: string | null; id: string; body: Buffer };

function put({ objects, blocks }: World, name: string, { comp, id, body }: Putting): Answer {
  if (comp === null) {
    objects.set(name, body);
    return { status: 201 };
  }
  const known = blocks.get(name) ?? new Map<string, Buffer>();
  if (comp === "block") {
    const other = known.keys().next().value;
    if (other !== undefined && other.length !== id.length) return failure(400, "InvalidBlobOrBlock");
    blocks.set(name, known.set(id, body));
    return { status: 201 };
  }
  const ids = [...String(body).matchAll(/<Latest>(.*?)<\/Latest>/g)].map(([, each = ""]) => each);
  const listed = ids.map((each) => known.get(each));
  if (listed.some((each) => each === undefined)) return failure(400, "InvalidBlockList");
  objects.set(name, Buffer.concat(listed as Buffer[]));
  return { status: 201 };
}

function isAllowed(world: World, asked: Asked): boolean {
  const [scheme, value = ""] = (asked.headers["authorization"] ?? "").split(" ");
  if (scheme === "Bearer") return world.isToken(value);
  return scheme === "SharedKey" && value === `${world.account}:${signatureOf(world, asked)}`;
}

/** https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key, version 2015-02-21 and later. */
function signatureOf({ account, key }: World, { method, path, query, headers: h }: Asked): string {
  const length = h["content-length"] === "0" ? "" : (h["content-length"] ?? "");
  const standard = [
    h["content-encoding"],
    h["content-language"],
    length,
    h["content-md5"],
    h["content-type"],
    h["date"],
  ];
  const conditions = ["if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "range"].map(
    (name) => h[name],
  );
  const lines = [method, ...standard, ...conditions].map((each) => each ?? "");
  const own = Object.keys(h)
    .filter((name) => name.startsWith("x-ms-"))
    .toSorted();
  const resource = `/${account}${path}${[...new Set(query.keys())]
    .toSorted()
    .map((name) => `\n${name}:${query.getAll(name).toSorted().join(",")}`)
    .join("")}`;
  const text = [...lines, ...own.map((name) => `${name}:${h[name]}`), resource].join("\n");
  return createHmac("sha256", Buffer.from(key, "base64")).update(text).digest("base64");
}

function failure(status: number, code: string): Answer {
  const body = `<?xml version="1.0"?><Error><Code>${code}</Code></Error>`;
  return { status, headers: { "x-ms-error-code": code, "content-type": "application/xml" }, body };
}
