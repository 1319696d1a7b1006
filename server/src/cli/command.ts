/**
 * A command for operators, as data: what it is called, what may be given to it, and what it does. commands.ts is the table of all;
 * run.ts reads what the operator typed. A command says what happens through `say` and gives one outcome, which is printed as text
 * or, with --json, as one JSON object.
 */
import type { Config } from "../config.ts";
import type { Seams } from "../seams.ts";

export interface Command {
  /** As it is typed: "release db". */
  name: string;
  /** One line, for the list of all. */
  summary: string;
  /** Paragraphs for `--help`. */
  help: string;
  /** What may stand behind the name, each in its place. */
  arguments?: readonly Argument[];
  options?: Readonly<Record<string, Option>>;
  /** Throws StartError or UsageError where it can not go on. */
  run(call: Call): Promise<Outcome>;
}

export interface Argument {
  name: string;
  doc: string;
  isRequired: boolean;
  /** Where only these are understood. */
  values?: readonly string[];
}

export interface Option {
  /** A flag takes no value. */
  kind: "flag" | "text" | "seconds";
  /** What stands for the value in the help. */
  value?: string;
  doc: string;
}

/** What the operator typed, and the world. */
export interface Call {
  arguments: readonly string[];
  /** Of each option that was given. */
  options: Readonly<Record<string, string | boolean>>;
  seams: Seams;
  /** The settings. Throws StartError where one is wrong. */
  config(): Config;
  /** Told of each step while it runs. */
  say(text: string): void;
}

export interface Outcome {
  /** Whether all is as it should be: exit code 0, and else 1. */
  ok: boolean;
  /** For programs. */
  data: Record<string, unknown>;
  /** The same for people; nothing is printed where there is none. */
  text?: string;
}

/** What was typed is not understood: exit code 2. */
export class UsageError extends Error {}

/** The whole number of an option of kind "seconds", in milliseconds. */
export function milliseconds({ options }: Pick<Call, "options">, name: string, default_s: number): number {
  const value = options[name];
  return (value === undefined ? default_s : Number(value)) * 1_000;
}

/** Lines with aligned columns, for people. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
