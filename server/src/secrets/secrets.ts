/**
 * Secrets by name, from whatever keeps them. What is asked for is what the provider says at that moment; whoever watches is told of
 * every value that follows, and goes on with the last one while the provider can not be asked.
 *
 * A name may end with `#` and a field: `prod/database#url` is the field `url` of a secret that is JSON, or has fields.
 */
import { CloudError } from "../cloud/ask.ts";
import { asError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { Seams } from "../seams.ts";

export interface Secrets {
  /** Throws SecretError, whose message names the secret and the provider and never a value. */
  get(name: string): Promise<string>;
  /**
   * Gets the value, and calls `changed` with each other one that follows until the returned function is called: at once where the
   * provider tells, and else within the time of `SECRETS_REFRESH_S`. Throws SecretError where there is no first value.
   */
  watch(name: string, changed: (value: string) => void): Promise<{ value: string; stop(): void }>;
  close(): void;
}

/** What differs between providers. */
export interface Provider {
  /** As a person would call it. */
  readonly name: string;
  /** The secret, or its fields; undefined where there is none. Tries again by itself what may pass. Throws CloudError. */
  read(name: string): Promise<string | Readonly<Record<string, string>> | undefined>;
  /** Calls `changed` when something may have changed, until the returned function is called. */
  onChange?(changed: () => void): () => void;
  close?(): void;
}

export class SecretError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "SecretError";
  }
}

export interface SecretsOptions {
  provider: Provider;
  refresh_ms: number;
  seams: Seams;
  logger: Pick<Logger, "warn">;
}

interface Watch {
  name: string;
  value: string;
  changed(value: string): void;
}

export function openSecretsOf({ provider, refresh_ms, seams, logger }: SecretsOptions): Secrets {
  const watches = new Set<Watch>();
  const away = new Set<string>();
  const lookAt = async (name: string) => {
    try {
      const value = await get(provider, name);
      away.delete(name);
      for (const watch of watches) if (watch.name === name) tell(watch, value);
    } catch (thrown) {
      const reason = asError(thrown).message;
      if (!away.has(name)) logger.warn({ reason }, "a secret could not be looked up; its last value stays");
      away.add(name);
    }
  };
  let isLooking = false;
  let isDue = false;
  /** What changes during a look may not be in it: one more follows. */
  const look = async () => {
    isDue = true;
    if (isLooking) return;
    isLooking = true;
    while (isDue) {
      isDue = false;
      for (const name of new Set([...watches].map((each) => each.name))) await lookAt(name);
    }
    isLooking = false;
  };
  const lookAgain = () => void look();
  const polling = seams.every(refresh_ms, lookAgain);
  const stopListening = provider.onChange?.(lookAgain);
  return {
    get: (name) => get(provider, name),
    async watch(name, changed) {
      const watch = { name, value: await get(provider, name), changed };
      watches.add(watch);
      return { value: watch.value, stop: () => void watches.delete(watch) };
    },
    close() {
      polling.cancel();
      stopListening?.();
      watches.clear();
      provider.close?.();
    },
  };
}

function tell(watch: Watch, value: string): void {
  if (value === watch.value) return;
  watch.value = value;
  watch.changed(value);
}

async function get(provider: Provider, reference: string): Promise<string> {
  const [name = "", field] = reference.split("#");
  const found = await provider.read(name).catch((thrown: unknown) => {
    const why = thrown instanceof CloudError ? thrown.message : asError(thrown).message;
    throw new SecretError(`The secret ${name} can not be had from ${provider.name}: ${why}.`, { cause: thrown });
  });
  if (found === undefined) throw new SecretError(`There is no secret ${name} in ${provider.name}.`);
  const value = field === undefined ? wholeOf(found) : fieldsOf(found)[field];
  if (typeof value === "string" && value.trim() !== "") return value.trim();
  throw new SecretError(
    field === undefined
      ? `The secret ${name} in ${provider.name} is empty, or has several fields: write ${name}#field.`
      : `The secret ${name} in ${provider.name} has no field ${field}.`,
  );
}

/** Of a secret with fields, the one that is called `value`, or the only one. */
function wholeOf(found: string | Readonly<Record<string, string>>): unknown {
  if (typeof found === "string") return found;
  const values = Object.values(found);
  return found["value"] ?? (values.length === 1 ? values[0] : undefined);
}

function fieldsOf(found: string | Readonly<Record<string, string>>): Readonly<Record<string, unknown>> {
  if (typeof found !== "string") return found;
  try {
    const parsed: unknown = JSON.parse(found);
    return typeof parsed === "object" && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
