/**
 * How each part is, as text: ok, warn, or off where there is no such part. It is worked out from what was counted in the last
 * minutes; the worker keeps since when each part is so.
 */
import type { Context } from "../context.ts";
import { listProcesses } from "../system/processes.ts";
import { limits } from "../limits.ts";
import type { Numbers } from "./numbers.ts";
import { lastMinute_ms, merged, MINUTE_MS, readSamples } from "./samples.ts";
import { isCount } from "./series.ts";

export const parts = ["api", "sockets", "database", "storage", "push", "queue"] as const;
export type Part = (typeof parts)[number];

export interface Health {
  part: Part;
  state: "ok" | "warn" | "off";
  says: string;
}

export interface Facts {
  /** Of the last minutes: counts are sums, gauges means. */
  numbers: Numbers;
  /** Whether a process with the role runs. */
  runs(role: string): boolean;
  /** How long the database took for a small question. */
  database_ms: number;
  hasQueue: boolean;
  /** What the doctor said last of the store of files; undefined where it has not looked. */
  files: { ok: boolean; says: string } | undefined;
}

/** How long the numbers are that a judgement rests on. */
const MINUTES = 5;

export async function lookAtHealth(ctx: Context): Promise<Health[]> {
  const { seams, db } = ctx;
  const begun_ms = seams.monotonic_ms();
  const samples = await readSamples(db.log, 60, lastMinute_ms(seams.now_ms()) - MINUTES * MINUTE_MS);
  const database_ms = seams.monotonic_ms() - begun_ms;
  const processes = await listProcesses(ctx);
  const roles = new Set(processes.flatMap((each) => each.roles.split(",")));
  return judge({
    numbers: merged(samples, isCount),
    runs: (role) => roles.has(role),
    database_ms,
    hasQueue: ctx.queue !== undefined,
    files: await readFiles(ctx),
  });
}

/** What the doctor found in its last run that has ended. */
async function readFiles(ctx: Context): Promise<Facts["files"]> {
  const { lastFindings } = await import("../system/runs.ts");
  const found = (await lastFindings(ctx))?.findings.filter(({ check }) => check === "files" || check === "disk") ?? [];
  if (found.length === 0) return undefined;
  const bad = found.find(({ state }) => state !== "ok");
  return { ok: bad === undefined, says: (bad ?? found[0])?.says ?? "" };
}

/** Pure. */
export function judge(facts: Facts): Health[] {
  return [api(facts), sockets(facts), database(facts), storage(facts), push(facts), queue(facts)];
}

const well = (part: Part, says: string): Health => ({ part, state: "ok", says });
const warn = (part: Part, says: string): Health => ({ part, state: "warn", says });
const off = (part: Part, says: string): Health => ({ part, state: "off", says });

function api({ numbers, runs }: Facts): Health {
  if (!runs("messages") || !runs("auth"))
    return warn("api", "No process runs with the roles auth and messages: nobody can sign in or write.");
  const failures = Math.round(numbers["errors_5xx"] ?? 0);
  const requests = Math.round(numbers["requests"] ?? 0);
  if (failures > limits.healthFailures_requests && failures > requests * limits.healthFailures_part)
    return warn("api", `${failures} of ${requests} requests failed in the last ${MINUTES} minutes.`);
  return well(
    "api",
    requests === 0 ? "It waits for requests." : `${requests} requests in the last ${MINUTES} minutes.`,
  );
}

function sockets({ numbers, runs }: Facts): Health {
  if (!runs("gateway")) return warn("sockets", "No process runs with the role gateway: nobody hears of anything new.");
  return well("sockets", `${Math.round(numbers["streams"] ?? 0)} WebSockets are open.`);
}

function database({ numbers, database_ms }: Facts): Health {
  if (database_ms > limits.healthDatabase_ms)
    return warn("database", `It took ${Math.round(database_ms)} ms for a small question.`);
  if ((numbers["db_waiting"] ?? 0) >= 1) return warn("database", "Statements wait for a free connection.");
  const { append_n = 0, append_s = 0 } = numbers;
  const append_ms = append_n === 0 ? 0 : (append_s / append_n) * 1_000;
  if (append_ms > limits.healthAppend_ms)
    return warn("database", `Writing to the log takes ${Math.round(append_ms)} ms, in the mean.`);
  return well("database", append_n === 0 ? "It answers." : `Writing to the log takes ${append_ms.toFixed(1)} ms.`);
}

function storage({ files, runs }: Facts): Health {
  if (!runs("media")) return warn("storage", "No process runs with the role media: files can not be loaded.");
  if (files === undefined) return well("storage", "The doctor has not looked at it yet.");
  return files.ok ? well("storage", files.says) : warn("storage", files.says);
}

/** One gateway that fails is its app's; where half of them do, it is more likely the way out of here. */
function push({ numbers, runs }: Facts): Health {
  const pushers = Math.round(numbers["pushers"] ?? 0);
  if (pushers === 0) return off("push", "Nobody has asked to be notified while their app is closed.");
  if (!runs("worker")) return warn("push", "No process runs with the role worker: nobody is notified.");
  const [failing, late] = [Math.round(numbers["pushers_failing"] ?? 0), Math.round(numbers["pushers_late"] ?? 0)];
  const devices = pushers === 1 ? "1 device is" : `${pushers} devices are`;
  if (late > 0) return warn("push", `${devices} to be notified; ${late} of them wait for longer than a minute.`);
  const says = `${devices} notified${failing > 0 ? `; the gateways of ${failing} take nothing` : ""}.`;
  return failing * 2 > pushers ? warn("push", says) : well("push", says);
}

function queue({ numbers, hasQueue }: Facts): Health {
  if (!hasQueue) return off("queue", "There is none: sends are written where they arrive.");
  const dead = Math.ceil(numbers["dead_letters"] ?? 0);
  if (dead > 0)
    return warn("queue", `${dead} ${dead === 1 ? "message" : "messages"} could not be done and wait for an operator.`);
  const waiting = Math.round(numbers["queue_waiting"] ?? 0);
  if (waiting > limits.healthQueue_messages) return warn("queue", `${waiting} messages wait.`);
  return well("queue", `${waiting} messages wait.`);
}

/** Keeps since when each part is as it is. */
export async function keepHealth(ctx: Context, found: readonly Health[]): Promise<void> {
  await ctx.db.log.change(
    `insert into log.health as h (part, state, says) select * from unnest($1::text[], $2::text[], $3::text[])
     on conflict (part) do update set state = excluded.state, says = excluded.says,
       since = case when h.state = excluded.state then h.since else now() end`,
    [found.map(({ part }) => part), found.map(({ state }) => state), found.map(({ says }) => says)],
  );
}

/** Since when each part is in the state that the worker saw last, in milliseconds since 1970. */
export async function readSince(ctx: Context): Promise<Map<string, { state: string; since_ms: number }>> {
  const rows = await ctx.db.log.query<{ part: string; state: string; since_ms: number }>(
    `select part, state, floor(extract(epoch from since) * 1000)::bigint as since_ms from log.health`,
  );
  return new Map(rows.map(({ part, ...row }) => [part, row]));
}
