/**
 * The settings: environment variables, read here and nowhere else, each checked before anything starts. A wrong value or an
 * unknown name stops the start with the name, the value (never a secret) and the fix.
 */
import { isIP } from "node:net";
import { StartError } from "./errors.ts";
import { roleNames, type RoleName } from "./roles.ts";

/** Roles that a gateway can front, each with the setting that says where they are. */
const upstreamSettings = [
  ["AUTH_URL", "auth"],
  ["KEYS_URL", "keys"],
  ["MESSAGES_URL", "messages"],
  ["PRESENCE_URL", "presence"],
  ["MEDIA_URL", "media"],
  ["WEB_URL", "web"],
] as const satisfies readonly (readonly [string, RoleName])[];

export interface Setting {
  name: string;
  /** As a person would write it; undefined where the default is worked out from other settings. */
  default?: string;
  /** A secret's value is never shown. */
  secret?: boolean;
  doc: string;
}

export const settings: readonly Setting[] = [
  { name: "PARLEY_PORT", default: "8008", doc: "The port of the HTTP server. 0 takes a free one." },
  {
    name: "PARLEY_HOST",
    default: "127.0.0.1",
    doc: "The address to listen on. Behind a proxy or in a container: 0.0.0.0.",
  },
  {
    name: "PARLEY_SERVER_NAME",
    default: "localhost",
    doc: "The part of user ids and aliases after the colon. It can not change later.",
  },
  {
    name: "PARLEY_PUBLIC_URL",
    doc: "How clients reach the server, such as https://chat.example.org. By default http://localhost and the port.",
  },
  {
    name: "PARLEY_DATA_DIR",
    doc: "Where the embedded database and the media are. By default the folder data of the checkout.",
  },
  {
    name: "PARLEY_REGISTRATION",
    doc: "Who may register: open, token or off. By default open while listening on loopback, else token.",
  },
  { name: "PARLEY_RATE_LIMITS", default: "on", doc: "on or off. Off is for benchmarks and test suites only." },
  {
    name: "PARLEY_PASSWORD_COST",
    default: "standard",
    doc: "standard (argon2id, 19 MiB, 2 passes) or low, which is for test suites only.",
  },
  {
    name: "PARLEY_ACCESS_TOKEN_LIFETIME_S",
    default: "3600",
    doc: "How long an access token lives for clients that can refresh it, in seconds.",
  },
  { name: "PARLEY_MEDIA_MAX_BYTES", default: "104857600", doc: "The largest file that may be uploaded, in bytes." },
  {
    name: "PARLEY_METRICS_PORT",
    doc: "The port of /metrics. By default PARLEY_PORT and 1000 more; 0 takes a free one; off has none.",
  },
  { name: "PARLEY_METRICS_HOST", doc: "The address of the metrics port. By default that of PARLEY_HOST." },
  {
    name: "PARLEY_LOG_LEVEL",
    default: "warn",
    doc: "fatal, error, warn, info, debug, trace or silent. info has a line for each request.",
  },
  {
    name: "PARLEY_DATABASE_CONNECTIONS",
    default: "4",
    doc: "The most database connections that each of the domains opens.",
  },
  {
    name: "PARLEY_TRUSTED_PROXIES",
    default: "",
    doc: "Addresses or networks, with commas, of proxies whose X-Forwarded-For is believed. By default none.",
  },
  {
    name: "DATABASE_REPLICA_URLS",
    secret: true,
    doc: "Replicas of that PostgreSQL, with commas between, for reads of history.",
  },
  {
    name: "DATABASE_URL",
    secret: true,
    doc: "Another PostgreSQL (15 or newer) in place of the embedded one, or file:// and a file with its address.",
  },
  {
    name: "DATABASE_OWNER_URL",
    secret: true,
    doc: "The same database as the user that owns the schema and may migrate. By default DATABASE_URL.",
  },
  {
    name: "PARLEY_MIGRATE",
    default: "auto",
    doc: "auto (a start migrates) or wait (a start waits for parley release db).",
  },
  {
    name: "PARLEY_BUS",
    doc: "What carries hints between replicas: memory, postgresql, redis, nats or rabbitmq. By default postgresql with DATABASE_URL, else memory.",
  },
  {
    name: "PARLEY_EPHEMERAL",
    doc: "Where presence, typing and limits are: memory, redis or postgresql. By default postgresql with DATABASE_URL, else memory.",
  },
  { name: "REDIS_URL", secret: true, doc: "Where Redis is, for what is set to redis: redis:// or rediss://." },
  { name: "NATS_URL", secret: true, doc: "Where NATS is, for what is set to nats: nats:// or tls://." },
  { name: "RABBITMQ_URL", secret: true, doc: "Where RabbitMQ is, for what is set to rabbitmq: amqp:// or amqps://." },
  {
    name: "PARLEY_QUEUE",
    default: "none",
    doc: "What hands sends and receipts to their workers: none (they are written where they arrive), postgresql or rabbitmq.",
  },
  { name: "ROLES", default: "all", doc: "Which roles this process has: all, or a list with commas." },
  ...upstreamSettings.map(([name, role]) => ({
    name,
    doc: `For a gateway that fronts the role ${role}: its addresses, with commas, such as http://${role}:8008.`,
  })),
  {
    name: "PARLEY_DRAIN_MS",
    default: "0",
    doc: "How long a process that was told to stop goes on serving while it says that it is not ready.",
  },
];

export interface Config {
  port: number;
  host: string;
  serverName: string;
  publicUrl: string | undefined;
  dataDir: string | undefined;
  registration: "open" | "token" | "off";
  rateLimits: boolean;
  passwordCost: "standard" | "low";
  accessTokenLifetime_ms: number;
  mediaMax_bytes: number;
  metrics: { port: number; host: string } | undefined;
  logLevel: string;
  databaseConnections: number;
  databaseUrl: string | undefined;
  /** The same database, as the user that migrates. */
  databaseOwnerUrl: string | undefined;
  migrate: "auto" | "wait";
  /** Servers that replicate it, for reads. */
  databaseReplicaUrls: readonly string[];
  /** Whose X-Forwarded-For is believed. */
  trustedProxies: readonly string[];
  roles: readonly RoleName[];
  /** Where a gateway finds the roles that it does not have itself. */
  upstreams: Partial<Record<RoleName, readonly string[]>>;
  /** Between being told to stop and stopping. */
  drain_ms: number;
  bus: BusName;
  /** What else is set to redis, nats or rabbitmq has its address here. */
  redisUrl: string | undefined;
  natsUrl: string | undefined;
  rabbitmqUrl: string | undefined;
  queue: (typeof queueAdapters)[number];
  ephemeral: (typeof ephemeralAdapters)[number];
}

const ephemeralAdapters = ["memory", "redis", "postgresql"] as const;

const queueAdapters = ["none", "postgresql", "rabbitmq"] as const;

export const busNames = ["memory", "postgresql", "redis", "nats", "rabbitmq"] as const;
export type BusName = (typeof busNames)[number];

type Env = Record<string, string | undefined>;

/** Reads and checks the settings. Throws StartError on the first that is wrong. */
export function readConfig(env: Env = process.env): Config {
  refuseUnknown(env);
  const host = text(env, "PARLEY_HOST");
  return {
    port: integer(env, "PARLEY_PORT", [0, 65_535]),
    host,
    serverName: serverName(env),
    publicUrl: url(env, "PARLEY_PUBLIC_URL", ["http:", "https:"])?.replace(/\/+$/, ""),
    dataDir: env["PARLEY_DATA_DIR"] || undefined,
    registration: oneOf(
      { PARLEY_REGISTRATION: isLoopback(host) ? "open" : "token", ...given(env) },
      "PARLEY_REGISTRATION",
      ["open", "token", "off"],
    ),
    rateLimits: oneOf(env, "PARLEY_RATE_LIMITS", ["on", "off"]) === "on",
    passwordCost: oneOf(env, "PARLEY_PASSWORD_COST", ["standard", "low"]),
    accessTokenLifetime_ms: integer(env, "PARLEY_ACCESS_TOKEN_LIFETIME_S", [1, 31_536_000]) * 1_000,
    mediaMax_bytes: integer(env, "PARLEY_MEDIA_MAX_BYTES", [1, 1_099_511_627_776]),
    metrics: env["PARLEY_METRICS_PORT"] === "off" ? undefined : metrics(env, host),
    logLevel: oneOf(env, "PARLEY_LOG_LEVEL", ["fatal", "error", "warn", "info", "debug", "trace", "silent"]),
    databaseConnections: integer(env, "PARLEY_DATABASE_CONNECTIONS", [1, 100]),
    databaseUrl: url(env, "DATABASE_URL", ["postgres:", "postgresql:", "file:"]),
    databaseOwnerUrl: ownerUrl(env),
    migrate: oneOf(env, "PARLEY_MIGRATE", ["auto", "wait"]),
    databaseReplicaUrls: replicaUrls(env),
    trustedProxies: proxies(env),
    roles: roles(env),
    upstreams: upstreams(env),
    drain_ms: integer(env, "PARLEY_DRAIN_MS", [0, 600_000]),
    bus: bus(env),
    redisUrl: url(env, "REDIS_URL", ["redis:", "rediss:"]),
    natsUrl: url(env, "NATS_URL", ["nats:", "tls:"]),
    rabbitmqUrl: url(env, "RABBITMQ_URL", ["amqp:", "amqps:"]),
    queue: queue(env),
    ephemeral: ephemeral(env),
  };
}

/** Whether only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

function refuseUnknown(env: Env): void {
  const known = settings.map((setting) => setting.name);
  const unknown = Object.keys(env).find((name) => name.startsWith("PARLEY_") && !known.includes(name));
  if (unknown === undefined) return;
  throw new StartError(
    `There is no setting ${unknown}. The settings are ${known.slice(0, -1).join(", ")} and ${known.at(-1)}.`,
  );
}

/** An empty variable is as good as none. */
function given(env: Env): Env {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value));
}

function text(env: Env, name: string): string {
  return env[name] || (settings.find((setting) => setting.name === name)?.default ?? "");
}

function refuse(name: string, value: string, fix: string): never {
  const secret = settings.find((setting) => setting.name === name)?.secret ?? false;
  throw new StartError(`${name} is ${secret ? "not valid" : `"${value}"`}: ${fix}`);
}

function integer(env: Env, name: string, [least, most]: readonly [least: number, most: number]): number {
  const value = text(env, name);
  const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= least && number <= most)) refuse(name, value, `set it to a whole number from ${least} to ${most}.`);
  return number;
}

function oneOf<const T extends string>(env: Env, name: string, allowed: readonly T[]): T {
  const value = text(env, name);
  const found = allowed.find((each) => each === value);
  return found ?? refuse(name, value, `set it to ${allowed.slice(0, -1).join(", ")} or ${allowed.at(-1)}.`);
}

function url(env: Env, name: string, protocols: readonly string[]): string | undefined {
  const value = env[name];
  if (!value) return undefined;
  const protocol = URL.canParse(value) ? new URL(value).protocol : value.split("/")[0];
  const wanted = protocols.map((each) => `${each}//`).join(" or ");
  // A socket's address (postgres://user@/db?host=/run) has no host and is right all the same.
  if (!protocol || !protocols.includes(protocol))
    refuse(name, value, `set it to an address that starts with ${wanted}.`);
  return value;
}

const serverOfBus: Partial<Record<BusName, { setting: string; example: string }>> = {
  redis: { setting: "REDIS_URL", example: "redis://localhost:6379" },
  nats: { setting: "NATS_URL", example: "nats://localhost:4222" },
  rabbitmq: { setting: "RABBITMQ_URL", example: "amqp://localhost:5672" },
};

function ephemeral(env: Env): Config["ephemeral"] {
  const byDefault = env["DATABASE_URL"] ? "postgresql" : "memory";
  const name = oneOf({ PARLEY_EPHEMERAL: byDefault, ...given(env) }, "PARLEY_EPHEMERAL", ephemeralAdapters);
  if (name === "redis" && !env["REDIS_URL"])
    throw new StartError(
      `PARLEY_EPHEMERAL is "redis", and REDIS_URL is not set: set it to its address, such as redis://localhost:6379.`,
    );
  return name;
}

function bus(env: Env): BusName {
  const byDefault = env["DATABASE_URL"] ? "postgresql" : "memory";
  const name = oneOf({ PARLEY_BUS: byDefault, ...given(env) }, "PARLEY_BUS", busNames);
  const server = serverOfBus[name];
  if (server && !env[server.setting])
    throw new StartError(
      `PARLEY_BUS is "${name}", and ${server.setting} is not set: set it to its address, such as ${server.example}.`,
    );
  return name;
}

function ownerUrl(env: Env): string | undefined {
  const name = "DATABASE_OWNER_URL";
  if (env[name] && !env["DATABASE_URL"])
    refuse(name, "", "set it to another user of the database of DATABASE_URL, and that too.");
  return url(env, name, ["postgres:", "postgresql:", "file:"]);
}

function replicaUrls(env: Env): readonly string[] {
  const name = "DATABASE_REPLICA_URLS";
  const list = (env[name] ?? "").split(",").filter((each) => each.trim() !== "");
  return list.flatMap((each) => url({ [name]: each.trim() }, name, ["postgres:", "postgresql:", "file:"]) ?? []);
}

function queue(env: Env): Config["queue"] {
  const name = oneOf(env, "PARLEY_QUEUE", queueAdapters);
  if (name === "rabbitmq" && !env["RABBITMQ_URL"])
    refuse("PARLEY_QUEUE", name, "set RABBITMQ_URL to the broker's address too, such as amqp://localhost:5672.");
  return name;
}

function serverName(env: Env): string {
  const value = text(env, "PARLEY_SERVER_NAME");
  const grammar = /^(\d{1,3}(\.\d{1,3}){3}|\[[0-9A-Fa-f:.]{2,45}\]|[0-9A-Za-z.-]{1,230})(:\d{1,5})?$/;
  if (!grammar.test(value)) refuse("PARLEY_SERVER_NAME", value, "set it to a host name such as example.org.");
  return value;
}

function metrics(env: Env, host: string): { port: number; host: string } {
  const own = env["PARLEY_METRICS_PORT"] ? integer(env, "PARLEY_METRICS_PORT", [0, 65_535]) : undefined;
  const port = integer(env, "PARLEY_PORT", [0, 65_535]);
  // Two servers on one machine differ in PARLEY_PORT, and so in this port too.
  const beside = port === 0 || port > 64_535 ? 0 : port + 1_000;
  return { port: own ?? beside, host: text(env, "PARLEY_METRICS_HOST") || host };
}

function roles(env: Env): readonly RoleName[] {
  const value = text(env, "ROLES");
  if (value === "all") return roleNames;
  const names = value.split(",").map((name) => name.trim());
  const fix = `set it to all, or to some of ${roleNames.join(", ")}, with commas between.`;
  return names.map((name) => roleNames.find((role) => role === name) ?? refuse("ROLES", value, fix));
}

/** None for a process without the role gateway: one set of settings may serve all processes. */
function upstreams(env: Env): Config["upstreams"] {
  const given = upstreamSettings.flatMap(([name, role]) => {
    const list = text(env, name).split(",");
    const urls = list.flatMap((each) => url({ [name]: each.trim() }, name, ["http:", "https:"]) ?? []);
    const wrong = urls.find((each) => !/^https?:\/\/[^/?#]+\/?$/.test(each));
    if (wrong) refuse(name, wrong, "set it to an address without a path, such as http://10.0.0.7:8008.");
    return urls.length > 0 ? [[role, urls] as const] : [];
  });
  return roles(env).includes("gateway") ? Object.fromEntries(given) : {};
}

/** Addresses, or networks such as 10.0.0.0/8. */
function proxies(env: Env): readonly string[] {
  const value = text(env, "PARLEY_TRUSTED_PROXIES");
  const list = value.split(",").map((each) => each.trim());
  const isRight = (each: string) => {
    const [address = "", bits, ...rest] = each.split("/");
    const version = isIP(address);
    return (
      version > 0 &&
      rest.length === 0 &&
      (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128)))
    );
  };
  if (value === "") return [];
  if (!list.every(isRight))
    refuse(
      "PARLEY_TRUSTED_PROXIES",
      value,
      "set it to addresses or networks such as 127.0.0.1 or 10.0.0.0/8, with commas between.",
    );
  return list;
}
