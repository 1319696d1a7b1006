/**
 * The value of a setting that is secret. It may change while the server runs: whoever uses it reads it anew for each connection
 * that it makes.
 *
 * - a text is the value itself;
 * - `file:///run/secrets/name` stands for what is in the file at each moment;
 * - `secret://name` stands for what the provider of secrets said last. See values.ts.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { asError, StartError } from "../errors.ts";

/** A setting as it is written: the value, or where it is. */
export type Address = string;

export function isInFile(address: Address): boolean {
  return address.startsWith("file:");
}

/** Whether the provider of secrets must be asked. */
export function isReference(address: Address): boolean {
  return address.startsWith("secret:");
}

/** What the references of this process stand for. It belongs to the process, as its environment does, whose values they are. */
const known = new Map<Address, string>();

/** From now on the reference stands for this value; for nothing where there is none. */
export function learn(reference: Address, value: string | undefined): void {
  if (value === undefined) known.delete(reference);
  else known.set(reference, value);
}

/** The value at this moment. Throws StartError where its file can not be read or is empty, or its reference was never looked up. */
export function valueOf(address: Address): string {
  if (isInFile(address)) return readValue(address);
  if (!isReference(address)) return address;
  const value = known.get(address);
  if (value === undefined) throw new StartError(`${address} was not looked up.`);
  return value;
}

function readValue(address: Address): string {
  let text;
  try {
    text = readFileSync(fileURLToPath(address), "utf8").trim();
  } catch (thrown) {
    throw new StartError(`The file of a setting can not be read: ${asError(thrown).message}.`, { cause: thrown });
  }
  if (text === "") throw new StartError(`The file of a setting is empty: ${address}.`);
  return text;
}
