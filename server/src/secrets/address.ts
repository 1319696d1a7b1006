/**
 * The value of a setting that is secret. It may change while the server runs: whoever uses it reads it anew for each connection
 * that it makes.
 *
 * - a text is the value itself;
 * - `file:///run/secrets/name` stands for what is in the file at each moment;
 * - `secret://name` stands for what the provider of secrets says (open.ts), and is a Live value once the server has started.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { asError, StartError } from "../errors.ts";

/** A value that may change. */
export interface Live {
  /** As it was set, without a secret: `secret://prod/database-url`. */
  readonly reference: string;
  /** What it is now. */
  current(): string;
}

export type Address = string | Live;

export function isInFile(address: Address): address is string {
  return typeof address === "string" && address.startsWith("file:");
}

/** Whether it must be asked of the provider first. */
export function isReference(address: Address): address is string {
  return typeof address === "string" && address.startsWith("secret:");
}

/** The name of a reference: `secret://prod/database-url` and `secret:prod/database-url` both name `prod/database-url`. */
export function nameIn(reference: string): string {
  return reference.replace(/^secret:(\/\/)?/, "");
}

/** The value at this moment. Throws StartError where its file can not be read, or has nothing in it. */
export function valueOf(address: Address): string {
  if (typeof address !== "string") return address.current();
  if (isReference(address)) throw new Error("a secret:// setting was used before it was looked up");
  return isInFile(address) ? readValue(address) : address;
}

/** Where the value comes from, for a person: never the value itself. */
export function sourceOf(address: Address): string {
  if (typeof address !== "string") return address.reference;
  return isInFile(address) ? address : "the setting itself";
}

function readValue(address: string): string {
  let text;
  try {
    text = readFileSync(fileURLToPath(address), "utf8").trim();
  } catch (thrown) {
    throw new StartError(`The file of a setting can not be read: ${asError(thrown).message}.`, { cause: thrown });
  }
  if (text === "") throw new StartError(`The file of a setting is empty: ${address}.`);
  return text;
}
