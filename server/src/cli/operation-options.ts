/** What may be typed for an operation, from its schemas; and from what was typed, its request. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import type { Operation } from "../console/operation.ts";
import { asError } from "../errors.ts";
import { type Call, type Option, UsageError } from "./command.ts";

/** As much of JSON Schema as is looked at. */
interface Shape {
  type?: string | undefined;
  description?: string | undefined;
  enum?: readonly unknown[] | undefined;
  default?: unknown;
  anyOf?: readonly Shape[] | undefined;
  items?: Shape | undefined;
  properties?: Readonly<Record<string, Shape>> | undefined;
  required?: readonly string[] | undefined;
}

export interface Member {
  name: string;
  where: "params" | "query" | "body";
  shape: Shape;
  isRequired: boolean;
  isSecret: boolean;
}

/** Everything that a request may have. What is in the path and in none of the schemas is a text. */
export function membersOf({ path, query, body, command }: Operation): Member[] {
  const params = [...path.matchAll(/:([^/]+)/g)].map(([, name = ""]) => ({
    name,
    where: "params" as const,
    shape: { type: "string" },
    isRequired: true,
    isSecret: false,
  }));
  const of = (where: "query" | "body", schema: Shape) =>
    Object.entries(schema.properties ?? {}).map(([name, shape]) => ({
      name,
      where,
      shape,
      isRequired: schema.required?.includes(name) === true && shape.default === undefined,
      isSecret: command?.secrets?.includes(name) === true,
    }));
  const given = body === undefined || body === "stream" ? [] : of("body", schemaOf(body, "input"));
  return [...params, ...of("query", schemaOf(query, "output")), ...given];
}

/** Of what a query becomes its output is looked at: on its way in everything is a text. */
export function schemaOf(schema: z.ZodType, io: "input" | "output"): Shape {
  return z.toJSONSchema(schema, { io, unrepresentable: "any" }) as Shape;
}

const DOC_CHARACTERS = 90;
const VALUES_CHARACTERS = 40;

/** The options of the command: every member that has no place of its own behind the name. */
export function optionsOf(members: readonly Member[], places: readonly string[]): Record<string, Option> {
  const own = members.filter(({ name, where }) => where !== "params" && !places.includes(name));
  return Object.fromEntries(own.map((member) => [optionName(member), optionOf(member)]));
}

export function optionName({ name, isSecret }: Pick<Member, "name" | "isSecret">): string {
  return name.replaceAll("_", "-") + (isSecret ? "-file" : "");
}

function optionOf({ name, where, shape, isRequired, isSecret }: Member): Option {
  if (isSecret)
    return { kind: "text", value: "path", doc: `A file with the ${name.replaceAll("_", " ")}; - for standard input.` };
  const inner = innerOf(shape);
  if (inner.type === "boolean" && where === "body" && shape.default !== true)
    return { kind: "flag", doc: docOf(shape, name) };
  const needed = isRequired ? " Needed." : "";
  return { kind: "text", value: isMoment(name) ? "time" : valueOf(inner), doc: docOf(shape, name) + needed };
}

function innerOf(shape: Shape): Shape {
  return shape.anyOf?.find(({ type }) => type !== "null") ?? shape;
}

function valueOf({ type, enum: values, items }: Shape): string {
  if (values) return isShort(values) ? values.join("|") : "name";
  if (type === "boolean") return "true|false";
  if (type === "array") return items?.type === "object" ? "json" : "a,b,…";
  if (type === "object") return "json";
  return type === "integer" || type === "number" ? "number" : "text";
}

function isShort(values: readonly unknown[]): boolean {
  return values.join("|").length <= VALUES_CHARACTERS;
}

function docOf({ description, default: value, enum: values = [] }: Shape, name: string): string {
  const text =
    description ??
    (isShort(values) ? undefined : `One of ${values.join(", ")}.`) ??
    `${name.replaceAll("_", " ").replace(/^\w/, (first) => first.toUpperCase())}.`;
  const short = text.length > DOC_CHARACTERS ? `${text.slice(0, DOC_CHARACTERS).replace(/\s+\S*$/, "")} …` : text;
  return value === undefined ? short : `${short} ${JSON.stringify(value)} by default.`;
}

export interface Asked {
  path: string;
  query: Record<string, string>;
  body: Record<string, unknown> | Blob | undefined;
}

/** The request that was typed. Throws UsageError. */
export function requestOf(
  operation: Operation,
  members: readonly Member[],
  call: Pick<Call, "arguments" | "options">,
): Asked {
  const places = operation.command?.arguments ?? [];
  const asked: Asked = { path: operation.path, query: {}, body: operation.body === undefined ? undefined : {} };
  for (const member of members) {
    const place = places.indexOf(member.name);
    const typed = place === -1 ? call.options[optionName(member)] : call.arguments[place];
    if (typed === undefined) {
      if (member.isRequired)
        throw new UsageError(`--${optionName(member)} is missing. See parley ${operation.command?.name} --help.`);
      continue;
    }
    put(asked, member, member.isSecret ? readSecret(String(typed)) : typed);
  }
  return asked;
}

function put(asked: Asked, { name, where, shape }: Member, typed: string | boolean): void {
  if (where === "params") asked.path = asked.path.replace(`:${name}`, encodeURIComponent(String(typed)));
  else if (where === "query") asked.query[name] = String(isNumber(shape) ? parsed(name, shape, typed) : typed);
  else if (asked.body && !(asked.body instanceof Blob)) asked.body[name] = parsed(name, shape, typed);
}

function parsed(name: string, shape: Shape, typed: string | boolean): unknown {
  if (typeof typed === "boolean") return typed;
  if (shape.anyOf?.some(({ type }) => type === "null") && typed === "none") return null;
  const { type, items } = innerOf(shape);
  if (isNumber(shape)) return isMoment(name) ? momentOf(name, typed) : numberOf(name, typed);
  if (type === "boolean") return typed === "true";
  if (type === "array" && items?.type !== "object") return typed.split(",").map((each) => each.trim());
  return type === "object" || type === "array" ? json(name, typed) : typed;
}

function isNumber(shape: Shape): boolean {
  const { type } = innerOf(shape);
  return type === "integer" || type === "number";
}

function numberOf(name: string, typed: string): number {
  if (typed.trim() === "" || Number.isNaN(Number(typed))) throw new UsageError(`${name} "${typed}" is no number.`);
  return Number(typed);
}

function isMoment(name: string): boolean {
  return name.endsWith("_ts");
}

const MOMENT = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/;

/** As moments are printed, or as the API has them. Without a zone there are only days: those of UTC. */
function momentOf(name: string, typed: string): number {
  const at_ms = MOMENT.test(typed) ? Date.parse(typed) : Number(typed);
  if (typed.trim() !== "" && !Number.isNaN(at_ms)) return at_ms;
  const forms = "2026-01-31 (UTC), 2026-01-31T09:30:00Z, or milliseconds since 1970";
  throw new UsageError(`${name} "${typed}" is no moment: ${forms}.`);
}

function json(name: string, typed: string): unknown {
  try {
    return JSON.parse(typed);
  } catch (thrown) {
    throw new UsageError(`${name} is not JSON: ${asError(thrown).message}`);
  }
}

function readSecret(path: string): string {
  try {
    return readFileSync(path === "-" ? 0 : path, "utf8").replace(/\r?\n$/, "");
  } catch (thrown) {
    throw new UsageError(`${path} can not be read: ${asError(thrown).message}`);
  }
}
