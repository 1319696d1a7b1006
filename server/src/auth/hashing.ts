/**
 * Password hashing: argon2id (RFC 9106), stored in the PHC string format. It is the dearest thing that this server does, so
 * only a sign-in hashes, a few at a time, and beyond a bounded queue people are told to come back.
 */
import { argon2, timingSafeEqual } from "node:crypto";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { limits } from "../limits.ts";

interface Cost {
  memory_kib: number;
  passes: number;
  parallelism: number;
}

const COSTS: Record<Context["config"]["passwordCost"], Cost> = {
  standard: { memory_kib: 19_456, passes: 2, parallelism: 1 },
  low: { memory_kib: 8, passes: 1, parallelism: 1 },
};
const SALT_BYTES = 16;
const HASH_BYTES = 32;
const RETRY_AFTER_MS = 5_000;

/** Hashes a new password. Throws M_LIMIT_EXCEEDED when too many wait. */
export async function hashPassword(ctx: Context, password: string): Promise<string> {
  const cost = COSTS[ctx.config.passwordCost];
  const salt = ctx.seams.randomBytes(SALT_BYTES);
  const made = await queued(ctx, () => derive(password, { salt, cost, length: HASH_BYTES }));
  return formatPhc({ cost, salt, hash: made });
}

/**
 * Whether the password is the one of the stored hash. Without a stored hash (there is no such account, or it is deactivated)
 * the answer is no, after the time that a wrong password takes. Throws M_LIMIT_EXCEEDED when too many wait.
 */
export async function verifyPassword(ctx: Context, password: string, stored: string | undefined): Promise<boolean> {
  const cost = COSTS[ctx.config.passwordCost];
  const nobody = { cost, salt: Buffer.alloc(SALT_BYTES), hash: Buffer.alloc(HASH_BYTES) };
  const known = stored === undefined ? nobody : parsePhc(stored);
  const made = await queued(ctx, () => derive(password, { ...known, length: known.hash.length }));
  return timingSafeEqual(made, known.hash) && stored !== undefined;
}

function derive(
  password: string,
  { salt, cost, length }: { salt: Buffer; cost: Cost; length: number },
): Promise<Buffer> {
  const { memory_kib, passes, parallelism } = cost;
  // The same password may be typed in composed or decomposed letters.
  const message = password.normalize("NFKC");
  const parameters = { message, nonce: salt, memory: memory_kib, passes, parallelism, tagLength: length };
  return new Promise((resolve, reject) =>
    argon2("argon2id", parameters, (error, key) => (error ? reject(error) : resolve(key))),
  );
}

interface Phc {
  cost: Cost;
  salt: Buffer;
  hash: Buffer;
}

/** https://github.com/P-H-C/phc-string-format: base64 without padding. */
function formatPhc({ cost, salt, hash }: Phc): string {
  const text = (bytes: Buffer) => bytes.toString("base64").replace(/=+$/, "");
  const { memory_kib, passes, parallelism } = cost;
  return `$argon2id$v=19$m=${memory_kib},t=${passes},p=${parallelism}$${text(salt)}$${text(hash)}`;
}

function parsePhc(stored: string): Phc {
  const match = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(stored);
  if (!match) throw new Error("a stored password hash is not an argon2id PHC string");
  const [, memory, passes, parallelism, salt = "", hash = ""] = match;
  return {
    cost: { memory_kib: Number(memory), passes: Number(passes), parallelism: Number(parallelism) },
    salt: Buffer.from(salt, "base64"),
    hash: Buffer.from(hash, "base64"),
  };
}

interface Queue {
  running: number;
  waiting: (() => void)[];
}

const queues = new WeakMap<Context, Queue>();

/** Runs the work when one of the few places is free; refuses at once when the queue is full. */
async function queued<T>(ctx: Context, work: () => Promise<T>): Promise<T> {
  const queue = queues.get(ctx) ?? { running: 0, waiting: [] };
  queues.set(ctx, queue);
  if (queue.running >= limits.hashConcurrency) {
    if (queue.waiting.length >= limits.hashQueue_requests)
      throw matrixError("M_LIMIT_EXCEEDED", "Too many people are signing in right now. Try again in 5 s.", {
        retryAfter_ms: RETRY_AFTER_MS,
      });
    // Whoever finishes hands its place over, so `running` stays as it is.
    await new Promise<void>((resolve) => queue.waiting.push(resolve));
  } else queue.running += 1;
  try {
    return await work();
  } finally {
    const next = queue.waiting.shift();
    if (next) next();
    else queue.running -= 1;
  }
}
