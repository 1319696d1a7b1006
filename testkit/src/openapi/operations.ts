// The operations of the client-server API: what the specification calls `operationId`, and how a request path finds it.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { SpecDocuments } from "./documents.ts";
import { isObject, pointerPart, type Json, type JsonObject } from "./json.ts";

export type Operation = {
  /** In capitals: GET, PUT, POST, DELETE. */
  method: string;
  /** The full path with its parameters in braces: `/_matrix/client/v3/rooms/{roomId}/messages`. */
  path: string;
  operationId: string;
  /** The file below `data/` that defines it. */
  file: string;
  /** The answers that the specification declares, by status. */
  responses: Map<number, DeclaredResponse>;
};

export type DeclaredResponse = {
  /** True where the body has another type than JSON, as a download has. */
  otherMedia: boolean;
  /** The schema of the JSON body: its file and the JSON Pointer in it. Absent where no JSON body is declared. */
  schema?: { file: string; pointer: string };
  /** The response as it is written, examples included, and the file its `$ref`s are relative to. */
  written: { file: string; value: Json };
};

type PathEntry = { file: string; template: string; segments: string[]; fixed: number };

/** Finds the operations that a request may mean. */
export type OperationIndex = {
  /** Every operation of the client-server API. Reads all its files (about a quarter of a second). */
  all(): Operation[];
  /** The operations of this method and path, most literal path first; several where two share a path. */
  find(method: string, path: string): Operation[];
};

const apiDir = "api/client-server";
const methods = ["get", "put", "post", "delete", "head", "patch"];

/**
 * Indexes the client-server API in `dir`. Only the lines that name paths are read at first; a file is parsed when one
 * of its paths is asked for, so that a test which uses ten operations does not pay for a hundred and ninety.
 */
export function openOperations(dir: string, documents: SpecDocuments): OperationIndex {
  const files = readdirSync(join(dir, "data", apiDir)).filter((name) => name.endsWith(".yaml"));
  const entries = files.flatMap((name) => scanPaths(dir, `${apiDir}/${name}`));
  const cache = new Map<PathEntry, Operation[]>();
  const read = (entry: PathEntry): Operation[] => {
    const known = cache.get(entry) ?? readOperations(documents, entry);
    cache.set(entry, known);
    return known;
  };
  return {
    all: () => entries.flatMap(read),
    find: (method, path) => {
      const segments = splitPath(path);
      const matching = entries.filter((entry) => fits(entry.segments, segments));
      const mostFixed = Math.max(...matching.map((entry) => entry.fixed));
      return matching
        .filter((entry) => entry.fixed === mostFixed)
        .flatMap(read)
        .filter((operation) => operation.method === method.toUpperCase());
    },
  };
}

/** The paths that a file defines, from its text: the keys below `paths:`, behind the `basePath` of its server. */
function scanPaths(dir: string, file: string): PathEntry[] {
  const text = readFileSync(join(dir, "data", file), "utf8");
  const basePath = /basePath:\s+default: (\S+)/.exec(text)?.[1];
  if (basePath === undefined) throw new Error(`${file} names no basePath`);
  return Array.from(text.matchAll(/^ {2}("?)(\/.*?)\1:$/gm), ([, , key = ""]) => {
    const segments = splitPath(basePath + key);
    const fixed = segments.filter((segment) => !segment.startsWith("{")).length;
    return { file, template: key, segments, fixed };
  });
}

function readOperations(documents: SpecDocuments, entry: PathEntry): Operation[] {
  const pathPointer = `/paths/${pointerPart(entry.template)}`;
  const { value: item } = documents.follow(entry.file, `#${encodeURI(pathPointer)}`);
  if (!isObject(item)) throw new Error(`${entry.file}${pathPointer} is not an object`);
  return methods.flatMap((method) => {
    const operation = item[method];
    if (!isObject(operation) || !isObject(operation.responses)) return [];
    const { operationId } = operation;
    if (typeof operationId !== "string") throw new Error(`${entry.file}${pathPointer} has no operationId`);
    const responsesPointer = `${pathPointer}/${method}/responses`;
    const responses = new Map(
      Object.entries(operation.responses).map(([status, written]) => [
        Number(status),
        readResponse(documents, { file: entry.file, pointer: `${responsesPointer}/${status}`, written }),
      ]),
    );
    const path = `/${entry.segments.join("/")}${entry.template.endsWith("/") ? "/" : ""}`;
    return [{ method: method.toUpperCase(), path, operationId, file: entry.file, responses }];
  });
}

function readResponse(
  documents: SpecDocuments,
  at: { file: string; pointer: string; written: Json },
): DeclaredResponse {
  const { file, written } = at;
  let pointer = at.pointer;
  let value: Json = written;
  // A response may stand under `components/responses` of the same file.
  if (isObject(written) && typeof written.$ref === "string") {
    pointer = written.$ref.slice(1);
    value = documents.follow(file, written.$ref).value;
  }
  const content: JsonObject = isObject(value) && isObject(value.content) ? value.content : {};
  const json = content["application/json"];
  const otherMedia = Object.keys(content).some((type) => type !== "application/json");
  const response: DeclaredResponse = { otherMedia, written: { file, value } };
  if (isObject(json) && json.schema !== undefined) {
    response.schema = { file, pointer: `${pointer}/content/application~1json/schema` };
  }
  return response;
}

/**
 * The segments of a path without its query. One slash at the end means nothing: the specification writes
 * `/pushrules/`, and lets the slash of an empty state key be left out.
 */
function splitPath(path: string): string[] {
  const bare = path.split("?", 1)[0] ?? "";
  return bare.trim().replace(/^\//, "").replace(/\/$/, "").split("/");
}

function fits(template: string[], segments: string[]): boolean {
  // `PUT …/state/{eventType}` is `…/state/{eventType}/{stateKey}` with an empty state key (room_state.yaml, rooms.yaml).
  const mayEndEarly = template.at(-1) === "{stateKey}" && segments.length === template.length - 1;
  if (segments.length !== template.length && !mayEndEarly) return false;
  return segments.every((segment, at) => {
    const expected = template[at];
    return expected === segment || (expected?.startsWith("{") === true && segment !== "");
  });
}
