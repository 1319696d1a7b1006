/**
 * The settings: environment variables, read here and nowhere else, each checked before anything starts. A wrong value or an
 * unknown name stops the start with the name, the value (never a secret) and the fix.
 */
import { isIP } from "node:net";
import { readStorage, type Storage } from "./blobs/config.ts";
import { StartError } from "./errors.ts";
import { type ExplorerConfig, readExplorer } from "./explorer/config.ts";
import { type PreviewConfig, readPreviews } from "./media/previews/config.ts";
import { type Captcha, readCaptcha } from "./auth/captcha/config.ts";
import { type Mail, readMail } from "./auth/email/config.ts";
import { readSso, type SsoConfig } from "./auth/sso/config.ts";
import { readSupport, type Support } from "./auth/support.ts";
import { type Policy, readTerms } from "./auth/terms/config.ts";
import { readTurn, type Turn } from "./auth/turn.ts";
import { type AuditStream, readAuditStream } from "./console/audit/stream/config.ts";
import { type PushConfig, readPush } from "./push/config.ts";
import { roleNames, type RoleName } from "./roles.ts";
import { type RoomVersionId, supportedRoomVersions } from "./rooms/rules/versions.ts";
import { readSecrets, type SecretsConfig } from "./secrets/config.ts";
import { type Billing, readBilling } from "./settings/read-billing.ts";
import {
  type Env,
  given,
  integer,
  oneOf,
  refuse,
  refuseUnknown,
  secret,
  secretUrl,
  text,
  underItsName,
  url,
  withAliases,
} from "./settings/read.ts";
import { corsOrigins } from "./settings/cors-origins.ts";
import { withParts } from "./settings/read-parts.ts";
import { type SettingSource, settingSources } from "./settings/sources.ts";
import { upstreamSettings } from "./settings/table.ts";
import { readTraces, type Traces } from "./tracing/config.ts";

export interface Config {
  port: number;
  host: string;
  serverName: string;
  publicUrl: string | undefined;
  /** What the console's metrics link to. */
  grafanaUrl: string | undefined;
  /** Where the authorisation server is, if that is not the public address; without a slash at its end. */
  authIssuer: string | undefined;
  /** How long a key signs access tokens before the next one does. */
  authSigningKey_ms: number;
  dataDir: string | undefined;
  registration: "open" | "token" | "off";
  /** Whether operators need a second factor besides their password. */
  operatorsNeedSecondFactor: boolean;
  /** Whether there are guests. */
  guests: boolean;
  /** Of a room whose maker names none. */
  roomVersion: RoomVersionId;
  rateLimits: boolean;
  passwordCost: "standard" | "low";
  /** Whether an access token in the query string counts. */
  queryTokens: boolean;
  /** By which accounts are made without anybody being signed in. */
  registrationSecret: string | undefined;
  accessTokenLifetime_ms: number;
  mediaMax_bytes: number;
  metrics: { port: number; host: string } | undefined;
  logLevel: string;
  /** Where traces go, if they are wanted. */
  traces: Traces | undefined;
  databaseConnections: number;
  databaseUrl: string | undefined;
  /** The same database, as the user that migrates. */
  databaseOwnerUrl: string | undefined;
  migrate: "auto" | "wait";
  /** Servers that replicate it, for reads. */
  databaseReplicaUrls: readonly string[];
  /** Whose pages may read answers; undefined where everybody's may. */
  corsOrigins: readonly string[] | undefined;
  /** Whose X-Forwarded-For is believed. */
  trustedProxies: readonly string[];
  roles: readonly RoleName[];
  /** Where a gateway finds the roles that it does not have itself, and the role web the files that it does not reach. */
  upstreams: Partial<Record<RoleName, readonly string[]>>;
  /** Between being told to stop and stopping. */
  drain_ms: number;
  /** Registration files of application services, and folders of them. */
  appservices: readonly string[];
  bus: BusName;
  /** What else is set to redis, nats or rabbitmq has its address here. */
  redisUrl: string | undefined;
  natsUrl: string | undefined;
  rabbitmqUrl: string | undefined;
  queue: (typeof queueAdapters)[number];
  /** Whether this process takes from the queue what its roles write. */
  isQueueWorker: boolean;
  ephemeral: (typeof ephemeralAdapters)[number];
  /** Where the console's sessions are. */
  sessionStorage: (typeof sessionStores)[number];
  /** For the commands of operators: where Parley is, and an operator's access token. */
  shell: { serverUrl: string | undefined; adminToken: string | undefined };
  /** Where media are kept. */
  storage: Storage;
  /** Where secrets come from. */
  secrets: SecretsConfig;
  /** Where it is configured: with whom, for what, and what this process does of it. */
  billing: Billing | undefined;
  /** Saved connections to other databases. */
  explorer: ExplorerConfig;
  /** Where notifications may be sent. */
  push: PushConfig;
  /** Undefined where the audit log is streamed nowhere. */
  auditStream: AuditStream | undefined;
  /** Undefined where no mails are sent. */
  mail: Mail | undefined;
  /** Providers by whom people sign in. */
  sso: SsoConfig;
  /** What whoever makes an account has to accept; nothing by default. */
  terms: readonly Policy[];
  /** What who registers without a token has to solve; undefined where nobody has to. */
  captcha: Captcha | undefined;
  /** Through whom calls go; undefined where there is no TURN server. */
  turn: Turn | undefined;
  /** Whom people ask; undefined where nobody is named. */
  support: Support | undefined;
  /** Whether links are fetched for a preview, and from where inside the network. */
  previews: PreviewConfig;
  /** What each setting is and where that comes from, without secrets. */
  sources: readonly SettingSource[];
}

const LEAST_SECRET_CHARACTERS = 8;
const DAY_MS = 86_400_000;

const sessionStores = ["postgresql", "memory"] as const;

const ephemeralAdapters = ["memory", "redis", "postgresql"] as const;

const queueAdapters = ["none", "postgresql", "rabbitmq"] as const;

export const busNames = ["memory", "postgresql", "redis", "nats", "rabbitmq"] as const;
export type BusName = (typeof busNames)[number];

/** Reads and checks the settings. Throws StartError on the first that is wrong. */
export function readConfig(environment: Env = process.env): Config {
  try {
    return read(environment);
  } catch (thrown) {
    throw underItsName(thrown, environment);
  }
}

function read(environment: Env): Config {
  refuseUnknown(environment);
  const env = withParts(withAliases(environment));
  refuseTestSettings(env);
  const host = text(env, "PARLEY_HOST");
  return {
    port: integer(env, "PARLEY_PORT", [0, 65_535]),
    host,
    serverName: serverName(env),
    publicUrl: url(env, "PARLEY_PUBLIC_URL", ["http:", "https:"])?.replace(/\/+$/, ""),
    grafanaUrl: url(env, "PARLEY_GRAFANA_URL", ["http:", "https:"]),
    authIssuer: issuer(env),
    authSigningKey_ms: integer(env, "AUTH_SIGNING_KEY_DAYS", [1, 365]) * DAY_MS,
    dataDir: env["PARLEY_DATA_DIR"] || undefined,
    registration: oneOf(
      { PARLEY_REGISTRATION: isLoopback(host) ? "open" : "token", ...given(env) },
      "PARLEY_REGISTRATION",
      ["open", "token", "off"],
    ),
    operatorsNeedSecondFactor: oneOf(env, "PARLEY_OPERATORS_SECOND_FACTOR", ["off", "required"]) === "required",
    guests: oneOf(env, "PARLEY_GUESTS", ["on", "off"]) === "on",
    roomVersion: oneOf(env, "PARLEY_ROOM_VERSION", supportedRoomVersions),
    rateLimits: oneOf(env, "PARLEY_RATE_LIMITS", ["on", "off"]) === "on",
    passwordCost: oneOf(env, "PARLEY_PASSWORD_COST", ["standard", "low"]),
    queryTokens: oneOf(env, "PARLEY_QUERY_TOKENS", ["on", "off"]) === "on",
    registrationSecret: registrationSecret(env),
    accessTokenLifetime_ms: integer(env, "PARLEY_ACCESS_TOKEN_LIFETIME_S", [1, 31_536_000]) * 1_000,
    mediaMax_bytes: integer(env, "PARLEY_MEDIA_MAX_BYTES", [1, 1_099_511_627_776]),
    metrics: env["PARLEY_METRICS_PORT"] === "off" ? undefined : metrics(env, host),
    traces: readTraces(env),
    logLevel: oneOf(env, "PARLEY_LOG_LEVEL", ["fatal", "error", "warn", "info", "debug", "trace", "silent"]),
    databaseConnections: integer(env, "PARLEY_DATABASE_CONNECTIONS", [1, 100]),
    databaseUrl: secretUrl(env, "DATABASE_URL", ["postgres:", "postgresql:"]),
    databaseOwnerUrl: ownerUrl(env),
    migrate: oneOf(env, "PARLEY_MIGRATE", ["auto", "wait"]),
    databaseReplicaUrls: replicaUrls(env),
    corsOrigins: corsOrigins(env),
    trustedProxies: proxies(env),
    roles: roles(env),
    upstreams: upstreams(env),
    drain_ms: integer(env, "PARLEY_DRAIN_MS", [0, 600_000]),
    appservices: text(env, "PARLEY_APPSERVICES")
      .split(",")
      .flatMap((each) => each.trim() || []),
    bus: bus(env),
    redisUrl: secretUrl(env, "REDIS_URL", ["redis:", "rediss:"]),
    natsUrl: secretUrl(env, "NATS_URL", ["nats:", "tls:"]),
    rabbitmqUrl: secretUrl(env, "RABBITMQ_URL", ["amqp:", "amqps:"]),
    queue: queue(env),
    isQueueWorker: oneOf(env, "PARLEY_QUEUE_WORKER", ["on", "off"]) === "on",
    ephemeral: ephemeral(env),
    sessionStorage: oneOf(env, "SESSION_STORAGE_TYPE", sessionStores),
    shell: {
      serverUrl: url(env, "PARLEY_SERVER_URL", ["http:", "https:"]),
      adminToken: secret(env, "PARLEY_ADMIN_TOKEN"),
    },
    storage: readStorage(env),
    secrets: readSecrets(env),
    billing: readBilling(env, roles(env)),
    explorer: readExplorer(env),
    push: readPush(env),
    auditStream: readAuditStream(env),
    mail: readMail(env),
    sso: readSso(env),
    ...newcomers(env),
    ...contacts(env),
    previews: readPreviews(env),
    sources: settingSources(environment),
  };
}

/** What is asked of whoever makes an account. */
function newcomers(env: Env): Pick<Config, "terms" | "captcha"> {
  return { terms: readTerms(env), captcha: readCaptcha(env) };
}

/** Of others, of whom the server tells. */
function contacts(env: Env): Pick<Config, "turn" | "support"> {
  return { turn: readTurn(env), support: readSupport(env) };
}

/** What makes test suites fast makes an installation weak. */
function refuseTestSettings(env: Env): void {
  if (env["ENVIRONMENT"] !== "production") return;
  for (const [name, weak, right] of [
    ["PARLEY_RATE_LIMITS", "off", "on"],
    ["PARLEY_PASSWORD_COST", "low", "standard"],
  ] as const)
    if (env[name] === weak) refuse(name, weak, `set it to ${right}, or ENVIRONMENT to something else than production.`);
}

/** A word that somebody would try is none. One that stands elsewhere is looked at where it is used. */
function registrationSecret(env: Env): string | undefined {
  const name = "PARLEY_REGISTRATION_SHARED_SECRET";
  const value = secret(env, name);
  if (value !== undefined && value.length < LEAST_SECRET_CHARACTERS)
    refuse(name, value, `set it to ${LEAST_SECRET_CHARACTERS} random characters or more, or leave it out.`);
  return value;
}

/** Whether only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
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
  return secretUrl(env, name, ["postgres:", "postgresql:"]);
}

function replicaUrls(env: Env): readonly string[] {
  const name = "DATABASE_REPLICA_URLS";
  const list = (env[name] ?? "").split(",").filter((each) => each.trim() !== "");
  return list.flatMap((each) => secretUrl({ ...env, [name]: each.trim() }, name, ["postgres:", "postgresql:"]) ?? []);
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

/** An address without a path: the discovery document and the pages are at its root. */
function issuer(env: Env): string | undefined {
  const value = url(env, "AUTH_ISSUER", ["http:", "https:"]);
  if (value !== undefined && !/^https?:\/\/[^/?#@]+\/?$/.test(value))
    refuse("AUTH_ISSUER", value, "set it to an address without a path, such as https://account.example.org.");
  return value?.replace(/\/$/, "");
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

/** For those who ask others, and none for the rest: one set of settings may serve all processes. */
function upstreams(env: Env): Config["upstreams"] {
  const given = upstreamSettings.flatMap(([name, role]) => {
    const list = text(env, name).split(",");
    const urls = list.flatMap((each) => url({ [name]: each.trim() }, name, ["http:", "https:"]) ?? []);
    const wrong = urls.find((each) => !/^https?:\/\/[^/?#]+\/?$/.test(each));
    if (wrong) refuse(name, wrong, "set it to an address without a path, such as http://10.0.0.7:8008.");
    return urls.length > 0 ? [[role, urls] as const] : [];
  });
  const own = roles(env);
  if (own.includes("gateway")) return Object.fromEntries(given);
  const asksForFiles = own.includes("web") && readStorage(env).provider === "filesystem";
  return asksForFiles ? Object.fromEntries(given.filter(([role]) => role === "media")) : {};
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
