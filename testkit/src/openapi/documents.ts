// The YAML files of the specification, each read when it is first needed. A file becomes one JSON Schema document
// whose `$id` is its address, so that Ajv resolves the relative `$ref`s between files itself, cycles included.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { amend } from "./amendments.ts";
import { atPointer, isObject, type Json, type JsonObject } from "./json.ts";

/** The files of one specification, by their path below `data/`. */
export type SpecDocuments = {
  /** The file as it is written: its examples too, its `$ref`s unresolved. */
  raw(file: string): Json;
  /** The file as a JSON Schema document: annotations gone, amendments applied, every `$ref` with its file. */
  schema(file: string): JsonObject;
  /** What a `$ref` found in `file` means: the value, and the file that the value's own `$ref`s are relative to. */
  follow(file: string, ref: string): { file: string; value: Json };
};

const baseUri = "https://spec.invalid/";

// Words about a schema that say nothing about a value. They go because examples hold `$ref`s of another meaning.
const annotations = new Set(["example", "examples", "description", "summary", "title", "default", "$schema"]);

// The keywords whose keys are names chosen by the author, so that a property called "example" stays.
const nameMaps = new Set(["properties", "patternProperties", "$defs", "schemas"]);

/** Opens the specification in `dir` (as `specDir` gives it). Reads nothing yet. */
export function openDocuments(dir: string): SpecDocuments {
  const rawFiles = new Map<string, Json>();
  const schemas = new Map<string, JsonObject>();
  const raw = (file: string): Json =>
    remember(rawFiles, file, () => parse(readFileSync(join(dir, "data", file), "utf8")) as Json);
  const schema = (file: string): JsonObject =>
    remember(schemas, file, () => {
      const cleaned = clean(raw(file), fileName(file), false);
      if (!isObject(cleaned)) throw new Error(`${file} is not an object`);
      amend(file, cleaned);
      return { ...cleaned, $id: uriOf(file) };
    });
  return {
    raw,
    schema,
    follow: (file, ref) => {
      const target = refTarget(file, ref);
      return { file: target.file, value: atPointer(raw(target.file), target.pointer) };
    },
  };
}

/** The address (`$id`) of a file, or of the part of it that `pointer` names. */
export function uriOf(file: string, pointer = ""): string {
  const fragment = pointer.split("/").map(encodeURIComponent).join("/");
  return `${baseUri}${file}${pointer === "" ? "" : `#${fragment}`}`;
}

/** The files that a schema document refers to. */
export function filesReferredTo(file: string, node: Json, found = new Set<string>()): Set<string> {
  if (Array.isArray(node)) {
    for (const item of node) filesReferredTo(file, item, found);
  } else if (isObject(node)) {
    for (const [key, value] of Object.entries(node)) {
      if (key === "$ref" && typeof value === "string") found.add(refTarget(file, value).file);
      else filesReferredTo(file, value, found);
    }
  }
  return found;
}

function refTarget(file: string, ref: string): { file: string; pointer: string } {
  const url = new URL(ref, uriOf(file));
  return { file: decodeURIComponent(url.pathname.slice(1)), pointer: decodeURIComponent(url.hash.slice(1)) };
}

function clean(node: Json, self: string, keysAreNames: boolean): Json {
  if (Array.isArray(node)) return node.map((item) => clean(item, self, false));
  if (!isObject(node)) return node;
  const out: JsonObject = {};
  for (const [key, value] of Object.entries(node)) {
    if (!keysAreNames && annotations.has(key)) continue;
    if (key === "$ref" && typeof value === "string") out[key] = value.startsWith("#") ? self + value : value;
    else out[key] = clean(value, self, !keysAreNames && nameMaps.has(key));
  }
  if (!keysAreNames && isObject(out.patternProperties)) nameKeys(out, out.patternProperties);
  return out;
}

/**
 * `x-pattern-format` says what the keys of a map are; JSON Schema says it with `propertyNames`. Without this a sync
 * with a room under a key that is no room id would pass, as a property that the schema does not mention.
 */
function nameKeys(schema: JsonObject, patterns: JsonObject): void {
  const formats = Object.values(patterns).map((each) => (isObject(each) ? each["x-pattern-format"] : undefined));
  const [format] = formats;
  const onlyThisPattern = formats.length === 1 && schema.properties === undefined;
  if (onlyThisPattern && typeof format === "string") schema.propertyNames = { format };
}

function fileName(file: string): string {
  return file.slice(file.lastIndexOf("/") + 1);
}

function remember<T>(cache: Map<string, T>, key: string, make: () => T): T {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const made = make();
  cache.set(key, made);
  return made;
}
