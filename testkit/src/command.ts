// The operators' command as it is typed, in the process of the test, and questions to a database that it changes.

import type { Command } from "../../server/src/cli/command.ts";
import { run } from "../../server/src/cli/run.ts";
import { readConfig } from "../../server/src/config.ts";
import { connectOwner } from "../../server/src/db/database.ts";
import { realSeams, type Seams } from "../../server/src/seams.ts";
import type { Json } from "./http.ts";

/** How a command ended, and what it printed. */
export type Said = {
  code: number;
  out: string;
  error: string;
  /** What stands on standard output, read as JSON. */
  json(): Json;
};

export type CommandWorld = {
  /** The settings, and no others. */
  env: Readonly<Record<string, string>>;
  seams?: Seams | undefined;
  /** Those that there are: all, unless a test needs one and saves the time to load the others. */
  commands?: readonly Command[];
};

/** Runs `parley <typed>`. */
export async function parley(typed: readonly string[], world: CommandWorld): Promise<Said> {
  const { env, seams = realSeams, commands = (await import("../../server/src/cli/commands.ts")).commands } = world;
  const out: string[] = [];
  const error: string[] = [];
  const code = await run(typed, {
    commands,
    seams,
    config: () => readConfig(env),
    out: (text) => void out.push(text),
    error: (text) => void error.push(text),
  });
  return { code, out: out.join("\n"), error: error.join("\n"), json: () => JSON.parse(out.join("\n")) };
}

/** Asks the database as its owner, by a connection of its own. */
export async function sql<T extends object>(url: string, text: string): Promise<T[]> {
  const client = await connectOwner(url);
  try {
    return (await client.query<T>(text)).rows;
  } finally {
    await client.end();
  }
}
