/**
 * What a release is made of, as data: the chart, the overlays, the compose file, the documents and the checks are each compared
 * with this, so that none of them drifts away. What a process serves is in server/src/roles.ts, and what may be set in
 * server/src/config.ts; here is how many of them run, where they listen, whom they talk to and how they end.
 */
import type { RoleName } from "../../server/src/roles.ts";

/** Where the images of a release are. A tag is a version, never `latest`; releases name their digest. */
export const images = {
  server: "ghcr.io/parley-im/parley",
  /** Static files behind nginx, in place of the role `web`. */
  web: "ghcr.io/parley-im/parley-web",
  /** PostgreSQL with Apache AGE, for CloudNativePG. */
  postgresql: "ghcr.io/parley-im/parley-postgresql-age",
} as const;

/** What the image runs: the flags of scripts/lib/server-process.mjs, which a test compares. */
export const commands = {
  server: [
    "node",
    "--disable-warning=ExperimentalWarning",
    "--min-semi-space-size=16",
    "--max-semi-space-size=16",
    "--expose-gc",
    "server/src/main.ts",
  ],
  /** Brings the database to this release's schema, once, under a lock. */
  migrate: ["parley", "release", "db"],
  /** Ends when the schema is at least what this release needs; refuses one that is too new. */
  wait: ["parley", "release", "wait"],
} as const;

/** The same in the image, whose entry point is `parley` (deploy/image/parley). */
export const args = { server: ["serve"], migrate: ["release", "db"], wait: ["release", "wait"] } as const;

/** Who the processes are in the image: nobody whom the node knows. */
export const user = { uid: 10001, gid: 10001 } as const;

/** Where a process finds what is mounted. */
export const mounts = {
  /** One file for each secret setting. */
  secrets: "/run/secrets/parley",
  /** Registration files of application services. */
  appservices: "/etc/parley/appservices",
  /** PARLEY_DATA_DIR; uploads are in `media` below it. */
  data: "/var/lib/parley",
  media: "/var/lib/parley/media",
  /** What Node has compiled: without it a start takes a second longer. */
  cache: "/var/cache/parley",
  temporary: "/tmp",
} as const;

/** What is not a workload of Parley. A workload connects to those that stand in its `uses`. */
export type Service =
  | "postgresql"
  | "redis"
  | "nats"
  | "rabbitmq"
  | "objects"
  | "tracing"
  | "stripe"
  | "graphs"
  | "links"
  | "pushes"
  | "front"
  | "mail"
  | "identity"
  | "audit"
  | "secrets";

/** The ports of services where an installation says nothing else. */
export const servicePorts: Record<Service, readonly number[]> = {
  postgresql: [5432],
  redis: [6379],
  nats: [4222],
  rabbitmq: [5672, 5671],
  objects: [443, 9000],
  /** A collector of traces: OTLP over HTTP. */
  tracing: [4318, 443],
  /** Whom billing is with, and the databases that operators explore. */
  stripe: [443],
  graphs: [5432],
  /** Web pages that people link to, where previews of them are made. */
  links: [80, 443],
  /** Push gateways and push services, which people's apps name. */
  pushes: [443],
  /** The public address: the doctor looks whether clients find the server there. */
  front: [443, 80],
  mail: [587, 465, 25],
  /** Providers by whom people sign in. */
  identity: [443],
  /** Where the audit log is streamed to. */
  audit: [443, 6514],
  /** A provider of secrets: those of the clouds, and Vault. */
  secrets: [443, 8200],
};

/** The setting that a connection is made by; a service whose setting is not there is not connected to. */
export const serviceSettings: Partial<Record<Service, readonly string[]>> = {
  postgresql: ["DATABASE_URL", "DB_HOST"],
  redis: ["REDIS_URL"],
  nats: ["NATS_URL"],
  rabbitmq: ["RABBITMQ_URL"],
  objects: ["STORAGE_PROVIDER"],
  tracing: ["OTEL_EXPORTER_OTLP_ENDPOINT"],
  stripe: ["STRIPE_SECRET_KEY"],
  graphs: ["PARLEY_EXPLORER_HOSTS"],
  links: ["PARLEY_PREVIEWS"],
  mail: ["SMTP_URL"],
  identity: ["PARLEY_SSO_PROVIDERS", "PARLEY_RECAPTCHA_SECRET"],
  audit: ["PARLEY_AUDIT_STREAM"],
  secrets: ["SECRETS_PROVIDER"],
};

/** Values of those settings with which nothing is connected to. */
export const localProviders = ["", "none", "off", "env", "files", "filesystem"] as const;

export type WorkloadName = "api" | "gateway" | "auth" | "keys" | "presence" | "messages" | "media" | "worker" | "web";

/**
 * What a workload is scaled on besides CPU, where a metrics adapter or KEDA is: `sockets` are those of a pod
 * (`parley_streams` and `parley_sync_waiting`), `queue` is what waits in the queue.
 */
export type Signal = "cpu" | "sockets" | "queue";

export interface Workload {
  name: WorkloadName;
  /** ROLES of its processes. */
  roles: readonly RoleName[];
  /** The container port named `http`, and the Service's. */
  port: number;
  /** The container port named `metrics`: /metrics, and the probes, which the public port need not show. */
  metricsPort: number;
  /** Whether others connect to it: a workload that nobody asks has no Service. */
  isServed: boolean;
  replicas: { least: number; most: number };
  signal: Signal;
  uses: readonly Service[];
  /** The other workloads that it connects to, each with the setting that has their address. */
  calls: Partial<Record<WorkloadName, string>>;
  /** Between being told to stop and stopping, while it says that it is not ready. PARLEY_DRAIN_MS in seconds. */
  drain_s: number;
  /** When the kubelet ends what has not ended: more than the drain and the 10 s that server/src/main.ts takes after it. */
  grace_s: number;
  resources: { requests: Resources; limits: Resources };
  /** Whether its pods hold uploads: a claim that all of them share, unless they are in an object store. */
  keepsMedia: boolean;
}

interface Resources {
  cpu: string;
  memory: string;
}

/** Sockets and waiting syncs are sent elsewhere over this long, so that not all of them come back in the same second. */
const SOCKET_DRAIN_S = 20;
/** Longer than a load balancer takes to look away: two readiness checks and the news of them. */
const DRAIN_S = 10;
/** What server/src/main.ts takes after the drain at most, and 5 s for the kubelet. */
const END_S = 15;

const shared: readonly Service[] = ["postgresql", "redis", "nats", "rabbitmq", "tracing", "secrets"];

const drained = (drain_s: number) => ({ drain_s, grace_s: drain_s + END_S });

/** Port numbers are those of the metrics too, 1000 up, as config.ts has it by default. */
const at = (port: number) => ({ port, metricsPort: port + 1_000 });

const large = { requests: { cpu: "250m", memory: "384Mi" }, limits: { cpu: "2", memory: "1Gi" } };
const asking = ({ requests, limits }: Workload["resources"], cpu: string) => ({
  requests: { ...requests, cpu },
  limits,
});
const small = { requests: { cpu: "100m", memory: "192Mi" }, limits: { cpu: "1", memory: "512Mi" } };

const many = {
  isServed: true,
  replicas: { least: 2, most: 10 },
  signal: "cpu" as Signal,
  calls: {},
  keepsMedia: false,
};

/** Every role of the API. */
export const apiRoles = [
  "auth",
  "keys",
  "messages",
  "gateway",
  "presence",
  "media",
] as const satisfies readonly RoleName[];

export const workloads: Record<WorkloadName, Workload> = {
  api: {
    ...many,
    ...at(8080),
    ...drained(SOCKET_DRAIN_S),
    name: "api",
    roles: apiRoles,
    signal: "sockets",
    uses: [...shared, "objects", "links", "mail", "identity", "front"],
    // What the chart asks for by default has room on a node of two processors, also while one pod more of each runs.
    resources: asking(large, "150m"),
    keepsMedia: true,
  },
  gateway: {
    ...many,
    ...at(8080),
    ...drained(SOCKET_DRAIN_S),
    name: "gateway",
    roles: ["gateway"],
    signal: "sockets",
    uses: shared,
    calls: {
      auth: "AUTH_URL",
      keys: "KEYS_URL",
      messages: "MESSAGES_URL",
      presence: "PRESENCE_URL",
      media: "MEDIA_URL",
    },
    resources: large,
  },
  auth: {
    ...many,
    ...at(8081),
    ...drained(DRAIN_S),
    name: "auth",
    roles: ["auth"],
    uses: [...shared, "mail", "identity", "front"],
    resources: small,
  },
  keys: { ...many, ...at(8082), ...drained(DRAIN_S), name: "keys", roles: ["keys"], uses: shared, resources: small },
  presence: {
    ...many,
    ...at(8083),
    ...drained(DRAIN_S),
    name: "presence",
    roles: ["presence"],
    signal: "queue",
    uses: shared,
    resources: small,
  },
  messages: {
    ...many,
    ...at(8084),
    ...drained(DRAIN_S),
    name: "messages",
    roles: ["messages"],
    signal: "queue",
    uses: shared,
    resources: large,
  },
  media: {
    ...many,
    ...at(8085),
    ...drained(DRAIN_S),
    name: "media",
    roles: ["media"],
    uses: [...shared, "objects", "links"],
    resources: small,
    keepsMedia: true,
  },
  worker: {
    ...many,
    ...at(8086),
    ...drained(DRAIN_S),
    name: "worker",
    // What waits in a queue is taken by the roles that write it.
    roles: ["worker", "messages", "presence"],
    isServed: false,
    replicas: { least: 1, most: 10 },
    signal: "queue",
    uses: [...shared, "stripe", "pushes", "front", "audit"],
    resources: small,
  },
  web: {
    ...many,
    ...at(8087),
    ...drained(DRAIN_S),
    name: "web",
    roles: ["web"],
    uses: [...shared, "stripe", "graphs", "objects", "identity"],
    resources: asking(small, "50m"),
  },
};

/**
 * Where the role `worker` is in an installation without workers, and `web` where the static image is in place of the workload web:
 * somebody has to do what is done in the background, and to answer the console.
 */
export const keepersOf = {
  together: { worker: "api", web: "api" },
  split: { worker: "messages", web: "gateway" },
} as const satisfies Record<Shape, Record<"worker" | "web", WorkloadName>>;

/** Whom the workload web asks for the files of archives where uploads are on a claim, and the setting with their address. */
export const uploadsOfWeb = {
  setting: "MEDIA_URL",
  from: { together: "api", split: "media" },
} as const satisfies { setting: string; from: Record<Shape, WorkloadName> };

/** What the settings of which are for processes with the role web or worker alone. */
export const consoleSettings = "^(STRIPE_|PARLEY_EXPLORER_|CREDENTIAL_STORAGE_|SESSION_STORAGE_|PARLEY_AUDIT_STREAM)";

/** The static web image has no other part of Parley in it: it hands `/api` to the API, and needs no database. */
export const staticWeb = { port: workloads.web.port, calls: "API_BASE_URL", uid: user.uid } as const;

/** Two shapes of one release: all of the API in one Deployment, or one for each role. Both have web; worker is optional. */
export const shapes = {
  together: ["api", "web", "worker"],
  split: ["gateway", "auth", "keys", "messages", "presence", "media", "web", "worker"],
} as const satisfies Record<string, readonly WorkloadName[]>;
export type Shape = keyof typeof shapes;

/** The workload of a shape that takes whatever belongs to the API: the gateway hands on what is another role's. */
export const doors = { together: "api", split: "gateway" } as const satisfies Record<Shape, WorkloadName>;

/** Asked on the port `metrics` by the kubelet. */
export const probes = {
  /** Three minutes. A long migration is waited for before, in the init container, which has no such limit. */
  startup: { path: "/health/live", period_s: 2, timeout_s: 2, failures: 90 },
  live: { path: "/health/live", period_s: 10, timeout_s: 5, failures: 6 },
  ready: { path: "/health/ready", period_s: 5, timeout_s: 4, failures: 2 },
} as const;

/** The order in which Argo CD applies; the others need none, since pods wait for the schema by themselves. */
export const waves = {
  namespace: -3,
  configuration: -2,
  postgresql: -1,
  migrations: 0,
  workloads: 1,
  edge: 2,
} as const;

/** What is counted for each signal; `lag` is how far a process is behind the log. */
export const metrics = {
  sockets: "parley_streams",
  /** Clients that wait in /sync hold a socket too. */
  waiting: "parley_sync_waiting",
  queue: "parley_queue_depth",
  lag: "parley_log_lag_entries",
} as const;

/** What a process opens of the database besides its pools: its place among the others, and what listens for hints. */
export const ownConnections = 2;

/** Settings that every process of an installation has, with the same value. */
export const commonSettings = [
  "PARLEY_SERVER_NAME",
  "PARLEY_PUBLIC_URL",
  "PARLEY_HOST",
  "PARLEY_TRUSTED_PROXIES",
  "DATABASE_URL",
] as const;

/** Settings that each workload has for itself. */
export const ownSettings = [
  "ROLES",
  "PARLEY_PORT",
  "PARLEY_METRICS_PORT",
  "PARLEY_DRAIN_MS",
  "PARLEY_DATA_DIR",
] as const;

/** Secret settings that may be `file://` and a file, which is read again while the process runs. The others are variables. */
export const fileSettings = [
  "DATABASE_URL",
  "DATABASE_OWNER_URL",
  "REDIS_URL",
  "NATS_URL",
  "RABBITMQ_URL",
  "S3_ACCESS_KEY_ID",
  "S3_SECRET_ACCESS_KEY",
  "MINIO_ACCESS_KEY",
  "MINIO_SECRET_KEY",
  "AZURE_STORAGE_KEY",
  "AZURE_CLIENT_SECRET",
  "VAULT_TOKEN",
  "INFISICAL_CLIENT_SECRET",
  "STRIPE_SECRET_KEY",
  "STRIPE_WEBHOOK_SECRET",
  "MASTER_ENCRYPTION_KEY",
  "PARLEY_REGISTRATION_SHARED_SECRET",
  "PARLEY_VAPID_PRIVATE_KEY",
  "SMTP_URL",
  "PARLEY_SSO_PROVIDERS",
  "PARLEY_RECAPTCHA_SECRET",
  "PARLEY_TURN_SECRET",
  "PARLEY_AUDIT_STREAM",
  "PARLEY_AUDIT_STREAM_AUTHORIZATION",
  "PARLEY_AUDIT_STREAM_CA",
] as const;

/** Private networks: a pod's peers, and the load balancers of most clusters. NetworkPolicies say who else gets that far. */
export const trustedProxies = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,100.64.0.0/10,fc00::/7";
