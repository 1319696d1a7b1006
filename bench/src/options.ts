import { parseArgs } from "node:util";

export interface Options {
  /** Origin of the server to measure; undefined starts Parley itself. */
  target: string | undefined;
  /** Names of the scenarios to run; empty runs all. */
  only: string[];
  /** Length of one measured window, in seconds. */
  seconds: number;
  /** Load before the first window that is not counted, in seconds. */
  warmup: number;
  /** Windows per scenario; the table shows the one in the middle. */
  runs: number;
  /** Rooms that count as loaded in the memory and sync scenarios. */
  rooms: number;
  /** Sends in flight in the deliveries scenario. */
  deliverySenders: number;
  /** Streams that are cut at once. */
  herd: number;
  /** Members of the hot room. */
  members: number;
  /** How long the soak takes. */
  minutes: number;
  registrationToken: string | undefined;
  /** File of accounts to use instead of registering. */
  users: string | undefined;
  /** The server's processes, when it is a target on this machine that is not found by its port. */
  serverPids: number[];
  postgresPids: number[];
  /** Stands in the result beside the server's own name. */
  label: string | undefined;
  /** Where the raw result is written. */
  json: string | undefined;
  /** An earlier raw result to print ratios against. */
  compare: string | undefined;
  /** Whether a missed goal makes the exit code 1. */
  strict: boolean;
}

export const USAGE = `Measures a Matrix homeserver and prints the result as Markdown.

  npm run bench -- [options]

  --target URL              the server to measure (default: starts Parley in a temporary folder)
  --only NAME,…             scenarios to run (--list names them; default: all but soak);
                            the beginning of names selects all of them: --only scaling,stream
  --seconds N               length of a measured window (default 5)
  --warmup N                seconds of load before the first window (default 2)
  --runs N                  windows per scenario, of which the median is shown (default 3)
  --rooms N                 rooms in the memory and sync scenarios (default 1000)
  --delivery-senders N      sends in flight in the deliveries scenario (default 4)
  --herd N                  streams that are cut at once in reconnect-herd (default 2000)
  --members N               members of the room in hot-room (default 5000)
  --minutes N               length of soak (default 30)
  --registration-token T    for a server that registers by token
  --users FILE              JSON: [{"user_id": …, "password": … or "access_token": …}, …]
  --server-pid PID,…        processes of a target on this machine (default: whoever listens on its port)
  --postgres-pid PID,…      its PostgreSQL's main process (default: found on this machine)
  --label NAME              stands in the result
  --json FILE               writes the raw result
  --compare FILE            prints ratios against an earlier raw result
  --strict                  exit code 1 when a goal is missed
  --list, --help
`;

/** A mistake in the command line; its message is meant for the person who typed it. */
export class UsageError extends Error {}

const SPEC = {
  target: { type: "string" },
  only: { type: "string", default: "" },
  seconds: { type: "string", default: "5" },
  warmup: { type: "string", default: "2" },
  runs: { type: "string", default: "3" },
  rooms: { type: "string", default: "1000" },
  "delivery-senders": { type: "string", default: "4" },
  herd: { type: "string", default: "2000" },
  members: { type: "string", default: "5000" },
  minutes: { type: "string", default: "30" },
  "registration-token": { type: "string" },
  users: { type: "string" },
  "server-pid": { type: "string", default: "" },
  "postgres-pid": { type: "string", default: "" },
  label: { type: "string" },
  json: { type: "string" },
  compare: { type: "string" },
  strict: { type: "boolean", default: false },
} as const;

/** @throws UsageError for an unknown option or a value that can not be used. */
export function parseOptions(args: readonly string[], scenarioNames: readonly string[]): Options {
  const values = readValues(args);
  return {
    target: values.target === undefined ? undefined : originOf(values.target),
    only: namesIn(values.only, scenarioNames),
    seconds: positive("seconds", values.seconds),
    warmup: positive("warmup", values.warmup),
    runs: positiveInteger("runs", values.runs),
    rooms: positiveInteger("rooms", values.rooms),
    deliverySenders: positiveInteger("delivery-senders", values["delivery-senders"]),
    herd: positiveInteger("herd", values.herd),
    members: positiveInteger("members", values.members),
    minutes: positive("minutes", values.minutes),
    registrationToken: values["registration-token"],
    users: values.users,
    serverPids: splitList(values["server-pid"]).map((pid) => positiveInteger("server-pid", pid)),
    postgresPids: splitList(values["postgres-pid"]).map((pid) => positiveInteger("postgres-pid", pid)),
    label: values.label,
    json: values.json,
    compare: values.compare,
    strict: values.strict,
  };
}

function readValues(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: SPEC, strict: true }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function originOf(target: string): string {
  const url = URL.parse(target);
  if (url === null || !/^https?:$/.test(url.protocol)) throw new UsageError(`--target ${target} is not an http URL`);
  return url.origin;
}

/** Whole names, or their beginnings up to a dash. */
function namesIn(list: string, known: readonly string[]): string[] {
  return splitList(list).flatMap((part) => {
    const meant = known.filter((name) => name === part || name.startsWith(`${part}-`));
    if (meant.length === 0) throw new UsageError(`--only ${part}: there are ${known.join(", ")}`);
    return meant;
  });
}

function splitList(list: string): string[] {
  return list.split(",").filter((part) => part !== "");
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) throw new UsageError(`--${name} ${text} is not a positive number`);
  return value;
}

function positiveInteger(name: string, text: string): number {
  const value = positive(name, text);
  if (!Number.isInteger(value)) throw new UsageError(`--${name} ${text} is not a whole number`);
  return value;
}
