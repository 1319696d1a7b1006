/**
 * The values of all `secret://` settings of a process: looked up before anything else starts, and kept up to date while it runs.
 * Whoever makes a connection reads the address then (`valueOf`), so a value that changed is used from the next connection on.
 */
import type { Config } from "../config.ts";
import { asError, StartError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { Seams } from "../seams.ts";
import { isReference, learn } from "./address.ts";
import { openSecrets } from "./open.ts";

export interface LearnOptions {
  seams: Seams;
  logger: Pick<Logger, "warn">;
}

/** Gives the function that ends the keeping up; the values stay known. Throws StartError where one can not be had. */
export async function learnSecrets(config: Config, { seams, logger }: LearnOptions): Promise<() => void> {
  const references = referencesIn(config);
  const { provider, refresh_ms } = config.secrets;
  if (references.length === 0 || !provider) return () => {};
  const secrets = await openSecrets({ provider, refresh_ms, seams, logger });
  try {
    await Promise.all(
      references.map(async (reference) => {
        const { value } = await secrets.watch(nameIn(reference), (changed) => learn(reference, changed));
        learn(reference, value);
      }),
    );
  } catch (thrown) {
    secrets.close();
    throw new StartError(`${asError(thrown).message} Check SECRETS_PROVIDER and what it may read.`, { cause: thrown });
  }
  return () => secrets.close();
}

/** Every one, wherever a setting became a part of the configuration. */
export function referencesIn(value: unknown): string[] {
  const found = new Set<string>();
  const look = (each: unknown) => {
    if (typeof each === "string" && isReference(each)) found.add(each);
    else if (typeof each === "object" && each !== null) for (const inner of Object.values(each)) look(inner);
  };
  look(value);
  return [...found];
}

/** `secret://prod/database-url` names `prod/database-url`. */
function nameIn(reference: string): string {
  return reference.replace(/^secret:(\/\/)?/, "");
}
