/**
 * The store in Redis. Each step is one script, so that it is atomic, and one round trip. Keys that other programs may read:
 *
 * - `presence:{user_id}`: `online` or `idle`, until the last session's timeout; nothing where the person is offline.
 * - `channel_members:{room_id}`: the set of the people who type in the room, until the last of them ends.
 * - `upload:{id}`: a hash of `status`, `bytes`, `total` (where it is known), `updated_at` (ms) and `user_id`.
 * - the channel `channel:{room_id}` gets `{"channel_id","typing":[user ids]}` at each change.
 *
 * What stands under `parley:` is ours alone, and of every release that runs: fields and kinds of members may be added to it, which
 * the release before leaves alone; what that would misread gets another key. All of it has a time to live. Two servers must not share a database of Redis: the
 * address names another one, as in `redis://host/1`.
 */
import { readFile } from "node:fs/promises";
import { Redis } from "ioredis";
import { limits } from "../limits.ts";
import type { Seams } from "../seams.ts";
import { valueOf } from "../secrets/address.ts";
import type { Upload } from "./ephemeral.ts";
import { type Bucket, parseNews, type Store, TYPING_USERS } from "./store.ts";

type Script = (argument: string) => Promise<string>;

/** Opens the store; one that can not be reached is tried again and again. */
export async function openRedisStore(url: string, seams: Pick<Seams, "now_ms">): Promise<Store> {
  const redis = new Redis(valueOf(url), {
    lazyConnect: true,
    connectTimeout: limits.ephemeralAnswer_ms,
    commandTimeout: limits.ephemeralAnswer_ms,
    // What can not be asked now is not worth asking later.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy(attempt) {
      Object.assign(redis.options, accountIn(valueOf(url)));
      return Math.min(attempt * 50, limits.ephemeralPoll_ms);
    },
  });
  // Each failure reaches whoever asked; without a listener it would end the process.
  redis.on("error", () => {});
  const [exchange, spend] = await Promise.all([script(redis, "exchange"), script(redis, "spend")]);
  // Its first failure is told by the first question.
  await redis.connect().catch(() => {});
  return {
    name: "Redis",
    isShared: true,
    async exchange(ask) {
      const bounds = { horizon_ms: limits.ephemeralEnded_ms, kept_ms: limits.presenceKept_ms, most: TYPING_USERS };
      return parseNews(readNews(JSON.parse(await exchange(JSON.stringify({ ...ask, ...bounds })))));
    },
    spend: async (spendings) => JSON.parse(await spend(JSON.stringify(spendings))) as Bucket[],
    async setUploads(uploads) {
      const pipeline = redis.pipeline();
      for (const upload of uploads) {
        const { id, status, bytes, total, userId } = upload;
        const known = total === undefined ? {} : { total };
        const fields = { status, bytes, ...known, updated_at: seams.now_ms(), user_id: userId };
        pipeline.hset(`upload:${id}`, fields).pexpire(`upload:${id}`, limits.uploadKept_ms);
      }
      for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
    },
    upload: async (id) => readUpload(id, await redis.hgetall(`upload:${id}`)),
    async close() {
      redis.disconnect();
    },
  };
}

/** A new connection is made as whom the address names then: the password may have been changed. */
function accountIn(address: string): { username?: string; password?: string } {
  const { username, password } = new URL(address);
  return {
    ...(username ? { username: decodeURIComponent(username) } : {}),
    ...(password ? { password: decodeURIComponent(password) } : {}),
  };
}

/** Defines a script of the folder redis/ as a command. */
async function script(redis: Redis, name: string): Promise<Script> {
  const lua = await readFile(new URL(`./redis/${name}.lua`, import.meta.url), "utf8");
  const command = `parley_${name}`;
  redis.defineCommand(command, { lua, numberOfKeys: 0 });
  const commands = redis as unknown as Record<string, Script>;
  return (argument) => (commands[command] as Script).call(redis, argument);
}

/** Lua can not tell an empty list from an empty object. */
function readNews(news: Record<string, unknown>): unknown {
  const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
  return {
    ...news,
    typing: list(news["typing"]).map((each) => {
      const [roomId, users, changed] = each as unknown[];
      return [roomId, list(users), changed];
    }),
    presence: list(news["presence"]),
  };
}

function readUpload(id: string, fields: Record<string, string>): Upload | undefined {
  const { status, bytes, total, user_id: userId } = fields;
  if (status === undefined || userId === undefined) return undefined;
  return {
    id,
    userId,
    status: status as Upload["status"],
    bytes: Number(bytes),
    total: total === undefined ? undefined : Number(total),
  };
}
