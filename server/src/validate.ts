/** What comes from the network is looked at before anybody uses it. */
import type { z } from "zod";
import { type MatrixError, matrixError } from "./errors.ts";

/** Checks a value from the network; what is wrong with it is said in a sentence that names the place. */
export function validate<T extends z.ZodType>(schema: T, value: unknown, where: "body" | "query"): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw fault(result.error, value, where);
}

function fault(error: z.ZodError, value: unknown, where: "body" | "query"): MatrixError {
  const issue = error.issues[0];
  const place = issue?.path.length ? `"${issue.path.join(".")}"` : `the ${where}`;
  if (issue && isAbsent(value, issue.path)) return matrixError("M_MISSING_PARAM", `The ${where} has no ${place}.`);
  return matrixError(
    where === "body" && !isIdentifier(issue) ? "M_BAD_JSON" : "M_INVALID_PARAM",
    `${place} is not valid: ${issue?.message ?? "unknown"}`,
  );
}

/**
 * The query of a request to `path`. Clients of Matrix also write what they do not have as an empty text (`?from=&dir=b`), and none
 * of its parameters has a meaning when it is empty.
 */
export function readQuery({ path, query: schema }: { path: string; query?: z.ZodType }, query: object): unknown {
  const hasEmpty = Object.values(query).includes("") && path.startsWith("/_matrix/");
  const given = hasEmpty ? Object.fromEntries(Object.entries(query).filter(([, value]) => value !== "")) : query;
  return schema ? validate(schema, given, "query") : given;
}

/**
 * The body of a request to `path`. Libraries of Matrix also write null for what their caller did not give (`"reason": null`): where a
 * member may not be null it is as one that is not there.
 */
export function readJson<T extends z.ZodType>(path: string, schema: T, json: unknown): z.output<T> {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  if (path.startsWith("/_matrix/") && typeof json === "object" && json !== null && !Array.isArray(json)) {
    const without = schema.safeParse(Object.fromEntries(Object.entries(json).filter(([, value]) => value !== null)));
    if (without.success) return without.data;
  }
  throw fault(result.error, json, "body");
}

/** What a schema's `refine` has as its second argument for an identifier: a text that is none is of the right type, and means nothing. */
export const identifier = (error: string) => ({ error, params: { isIdentifier: true } });

function isIdentifier(issue: z.core.$ZodIssue | undefined): boolean {
  return issue?.code === "custom" && issue.params?.["isIdentifier"] === true;
}

function isAbsent(value: unknown, path: readonly PropertyKey[]): boolean {
  if (path.length === 0) return false;
  let at: unknown = value;
  for (const key of path)
    at = typeof at === "object" && at !== null ? (at as Record<PropertyKey, unknown>)[key] : undefined;
  return at === undefined;
}

/** Throws at bytes that are no UTF-8: read all the same they would be another text, and nobody would know. */
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** A body as text; nothing is the empty one. Throws a TypeError where it is none. */
export function textOf(bytes: Buffer | undefined): string {
  return bytes ? utf8.decode(bytes) : "";
}
