/** Every setting that there is. What they mean to whoever runs Parley: docs/operations/settings.md. */
import type { RoleName } from "../roles.ts";
import { auditSettings } from "./audit.ts";
import { billingSettings } from "./billing.ts";
import { captchaSettings } from "./captcha.ts";
import { contactSettings } from "./contacts.ts";
import { explorerSettings } from "./explorer.ts";
import { previewSettings } from "./previews.ts";
import { mailSettings } from "./mail.ts";
import { partSettings } from "./parts.ts";
import { pushSettings } from "./push.ts";
import { secretSettings } from "./secrets.ts";
import { shellSettings } from "./shell.ts";
import type { Setting } from "./setting.ts";
import { ssoSettings } from "./sso.ts";
import { storageSettings } from "./storage.ts";
import { termsSettings } from "./terms.ts";
import { tracingSettings } from "./tracing.ts";

/** Roles that a gateway can front, each with the setting that says where they are. */
export const upstreamSettings = [
  ["AUTH_URL", "auth"],
  ["KEYS_URL", "keys"],
  ["MESSAGES_URL", "messages"],
  ["PRESENCE_URL", "presence"],
  ["MEDIA_URL", "media"],
  ["WEB_URL", "web"],
] as const satisfies readonly (readonly [string, RoleName])[];

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
    aliases: ["APP_PUBLIC_URL"],
    doc: "How clients reach the server, such as https://chat.example.org. By default http://localhost and the port.",
  },
  {
    name: "AUTH_ISSUER",
    doc: "Where the pages and endpoints of OAuth 2.0 are, such as https://account.example.org. By default PARLEY_PUBLIC_URL.",
  },
  {
    name: "AUTH_SIGNING_KEY_DAYS",
    default: "30",
    doc: "How long a key signs access tokens of OAuth 2.0 before the next one does, in days.",
  },
  {
    name: "PARLEY_DATA_DIR",
    doc: "Where the embedded database and the media are. By default the folder data of the checkout.",
  },
  {
    name: "PARLEY_REGISTRATION",
    doc: "Who may register: open, token or off. By default open while listening on loopback, else token.",
  },
  {
    name: "PARLEY_OPERATORS_SECOND_FACTOR",
    default: "off",
    doc: "off or required: whether an operator's password opens the console and the operator API only with codes from an app.",
  },
  {
    name: "PARLEY_GUESTS",
    default: "off",
    doc: "on or off. On: whoever reaches the server gets an account of a guest, without a password.",
  },
  {
    name: "PARLEY_ROOM_VERSION",
    default: "12",
    doc: "The version of a new room when its maker names none. 11 for bridges and apps that do not know version 12.",
  },
  {
    name: "ENVIRONMENT",
    doc: "A word for what this installation is. In production, settings that are for tests only stop the start.",
  },
  {
    name: "PARLEY_APPSERVICES",
    default: "",
    doc: "Registration files of application services (bridges), and folders of them, with commas between. By default none.",
  },
  { name: "PARLEY_RATE_LIMITS", default: "on", doc: "on or off. Off is for benchmarks and test suites only." },
  {
    name: "PARLEY_PASSWORD_COST",
    default: "standard",
    doc: "standard (argon2id, 19 MiB, 2 passes) or low, which is for test suites only.",
  },
  {
    name: "PARLEY_QUERY_TOKENS",
    default: "on",
    doc: "on or off: whether an access token is also taken from the query string, for clients of older versions.",
  },
  {
    name: "PARLEY_REGISTRATION_SHARED_SECRET",
    secret: true,
    doc: "Whoever knows it makes accounts at /_synapse/admin/v1/register, administrators too. By default nobody does.",
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
    name: "CORS_ORIGINS",
    default: "*",
    doc: "Whose pages may read answers: * for everybody's, or origins, with commas, such as https://chat.example.org.",
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
    aliases: ["DSN", "MESSAGES_DATABASE_URL"],
    secret: true,
    doc: "Another PostgreSQL (15 or newer) in place of the embedded one, or file:// and a file with its address.",
  },
  ...partSettings,
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
  {
    name: "PARLEY_QUEUE_WORKER",
    default: "on",
    doc: "on or off: whether this process takes from the queue what its roles write. Off where others are there for it.",
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
  {
    name: "SESSION_STORAGE_TYPE",
    default: "postgresql",
    doc: "Where the console's sessions are: postgresql, or memory for one process alone.",
  },
  ...storageSettings,
  ...secretSettings,
  ...billingSettings,
  ...tracingSettings,
  ...shellSettings,
  ...explorerSettings,
  ...auditSettings,
  ...pushSettings,
  ...mailSettings,
  ...ssoSettings,
  ...termsSettings,
  ...captchaSettings,
  ...previewSettings,
  ...contactSettings,
];
