/** Each setting: what it takes, and what is said of a value that it does not take. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfig } from "./config.ts";
import { StartError } from "./errors.ts";
import { settings } from "./settings/table.ts";

const refused: Record<string, readonly string[]> = {
  PARLEY_PORT: ["-1", "65536", "http", "80.5"],
  PARLEY_SERVER_NAME: ["two words", "a/b", "exämple.org", "a:b"],
  PARLEY_PUBLIC_URL: ["chat.example.org", "ftp://example.org"],
  AUTH_ISSUER: ["account.example.org", "ftp://example.org", "https://example.org/account"],
  AUTH_SIGNING_KEY_DAYS: ["0", "366", "a month"],
  PARLEY_REGISTRATION: ["yes", "Open"],
  PARLEY_OPERATORS_SECOND_FACTOR: ["on", "Required"],
  PARLEY_GUESTS: ["yes", "On"],
  PARLEY_ROOM_VERSION: ["13", "0", "12.0", "org.matrix.msc3757.11"],
  PARLEY_RATE_LIMITS: ["true", "0"],
  PARLEY_PASSWORD_COST: ["high"],
  PARLEY_QUERY_TOKENS: ["yes", "Off"],
  PARLEY_REGISTRATION_SHARED_SECRET: ["hunter2", "secret://hunter2"],
  PARLEY_ACCESS_TOKEN_LIFETIME_S: ["0", "1h"],
  PARLEY_MEDIA_MAX_BYTES: ["0", "100MB"],
  PARLEY_METRICS_PORT: ["70000", "none"],
  PARLEY_LOG_LEVEL: ["verbose"],
  PARLEY_DATABASE_CONNECTIONS: ["0", "101"],
  DATABASE_URL: ["mysql://user:hunter2@host/db", "hunter2"],
  DATABASE_REPLICA_URLS: ["mysql://user:hunter2@host/db", "hunter2"],
  DATABASE_OWNER_URL: ["postgres://user:hunter2@host/db", "mysql://user:hunter2@host/db"],
  PARLEY_MIGRATE: ["never", "Auto"],
  CORS_ORIGINS: [
    "chat.example.org",
    "https://chat.example.org/app",
    "*, https://chat.example.org",
    "https://*.example.org",
  ],
  DB_HOST: ["db/parley", "parley@db", "db:5432"],
  DB_PORT: ["0", "65536", "five"],
  DB_PASSWORD: ["secret://hunter2", "file:///run/hunter2"],
  ADDR: ["8082", "localhost", ":http", ":65536", "http://localhost:8082"],
  PARLEY_TRUSTED_PROXIES: ["localhost", "10.0.0.0/33", "1.2.3.4,", "::1/200"],
  ROLES: ["all,web", "gatway", "auth,"],
  PARLEY_BUS: ["kafka", "Redis"],
  PARLEY_EPHEMERAL: ["nats", "Memory"],
  PARLEY_QUEUE: ["redis", "RabbitMQ"],
  REDIS_URL: ["http://user:hunter2@host", "hunter2"],
  NATS_URL: ["redis://user:hunter2@host", "hunter2"],
  ...Object.fromEntries(
    ["AUTH_URL", "KEYS_URL", "MESSAGES_URL", "PRESENCE_URL", "MEDIA_URL", "WEB_URL"].map((name) => [
      name,
      ["auth:8008", "ftp://auth", "http://auth/path"],
    ]),
  ),
  STORAGE_PROVIDER: ["S3", "ftp"],
  ...Object.fromEntries(
    [
      "S3_ACCESS_KEY_ID",
      "S3_SECRET_ACCESS_KEY",
      "MINIO_ACCESS_KEY",
      "MINIO_SECRET_KEY",
      "AZURE_STORAGE_KEY",
      "AZURE_CLIENT_SECRET",
      "VAULT_TOKEN",
      "INFISICAL_CLIENT_SECRET",
    ].map((name) => [name, ["secret://hunter2"]]),
  ),
  ...Object.fromEntries(
    ["AWS_SM_ENDPOINT", "AZURE_KEY_VAULT_URL", "GCP_SM_ENDPOINT", "VAULT_ADDR", "INFISICAL_URL"].map((name) => [
      name,
      ["vault:8200", "ftp://vault"],
    ]),
  ),
  ...Object.fromEntries(
    ["S3_ENDPOINT", "MINIO_ENDPOINT", "AZURE_STORAGE_ENDPOINT", "GCS_ENDPOINT", "AZURE_AUTHORITY_HOST"].map((name) => [
      name,
      ["minio:9000", "ftp://minio"],
    ]),
  ),
  PARLEY_QUEUE_WORKER: ["yes"],
  PARLEY_SERVER_URL: ["chat.example.org", "ftp://chat"],
  PARLEY_ADMIN_TOKEN: ["secret://hunter2"],
  PARLEY_EXPLORER_HOSTS: ["http://db", "10.0.0.0/33"],
  PARLEY_VAPID_PRIVATE_KEY: ["hunter2", "secret://hunter2"],
  PARLEY_AUDIT_STREAM: [
    "hunter2",
    "http://siem.example.org",
    "syslog://siem.example.org",
    "https://a:hunter2@siem.example.org",
  ],
  PARLEY_AUDIT_STREAM_AUTHORIZATION: ["Bearer hunter2\r\nx: y", "secret://hunter2"],
  PARLEY_AUDIT_STREAM_CA: ["hunter2", "secret://hunter2"],
  SMTP_URL: ["mail.example.org", "http://mail.example.org", "smtp://", "secret://hunter2"],
  PARLEY_MAIL_FROM: ["nobody", "a@b.example, c@d.example"],
  PARLEY_REGISTRATION_EMAIL: ["yes", "required"],
  PARLEY_SSO_PROVIDERS: ["hunter2", "[{}]", "secret://hunter2"],
  PARLEY_SSO_CLIENTS: ["app.example.org", "javascript:alert(1)"],
  PARLEY_TERMS: ["1.2", "[]", '{"terms":{"version":"1"}}', "file:///nowhere/terms.json"],
  PARLEY_RECAPTCHA_SITE_KEY: ["abc"],
  PARLEY_RECAPTCHA_SECRET: ["hunter2", "secret://hunter2"],
  PARLEY_TURN_URIS: ["turn.example.org", "turn:", "stun:stun.example.org", "turn:a.example.org, b.example.org"],
  PARLEY_TURN_SECRET: ["hunter2"],
  PARLEY_TURN_TTL_S: ["59", "604801", "day"],
  PARLEY_SUPPORT_CONTACTS: ["admin", "boss=admin@example.org", "@ana", "a@b@c", "admin@example.org, call us"],
  PARLEY_SUPPORT_PAGE: ["example.org/help"],
  PARLEY_RECAPTCHA_URL: ["www.google.com", "ftp://example.org", "https://example.org/; script-src *"],
  PARLEY_PREVIEWS: ["yes", "true"],
  PARLEY_PREVIEW_HOSTS: ["https://wiki.example.org", "10.0.0.0/33"],
  PARLEY_PUSH_HOSTS: ["https://push.example.org", "10.0.0.0/33"],
  CREDENTIAL_STORAGE_TYPE: ["Postgresql", "redis"],
  CREDENTIAL_STORAGE_SHARED: ["yes"],
  MASTER_ENCRYPTION_KEY: ["hunter2", "secret://hunter2"],
  SESSION_STORAGE_TYPE: ["Memory", "redis"],
  SECRETS_PROVIDER: ["aws", "Vault"],
  SECRETS_REFRESH_S: ["0", "1m"],
  AUTH_KEY_STORAGE_BACKEND: ["vault", "Database", "secret-manager"],
  AUTH_KEY_STORAGE_PROVIDER: ["none", "aws"],
  ENABLE_BILLING_RETRY_WORKER: ["yes", "1"],
  ENABLE_BILLING_STREAM_REPLAY: ["on", "True"],
  BILLING_RETRY_DEPLOYMENT_MODE: ["worker", "Dedicated"],
  STRIPE_SECRET_KEY: ["secret://hunter2"],
  STRIPE_WEBHOOK_SECRET: ["secret://hunter2"],
  STRIPE_CUSTOMER_ID: ["cus_1 ", "anna@example.org"],
  STRIPE_SEAT_PRICE_ID: ["9,99"],
  STRIPE_STORAGE_PRICE_ID: ["price-1"],
  STRIPE_API_URL: ["api.stripe.com", "https://user@proxy", "https://proxy/stripe"],
  PARLEY_GRAFANA_URL: ["grafana.example.org", "javascript:alert(1)"],
  OTEL_EXPORTER_OTLP_ENDPOINT: ["otel-collector:4318", "grpc://otel-collector"],
  OTEL_EXPORTER_OTLP_HEADERS: ["hunter2", "a=hunter2,b", "a=%hunter2"],
  OTEL_TRACES_SAMPLER_ARG: ["2", "-1", "1%", ".5"],
  PARLEY_DRAIN_MS: ["-1", "5s", "600001"],
  RABBITMQ_URL: ["http://user:hunter2@host", "hunter2"],
};

/** Settings that are read only where others say so. */
const contexts: readonly (readonly [names: RegExp, env: Record<string, string>])[] = [
  [/^DB_/, { DB_HOST: "db", DB_NAME: "parley", DB_USER: "parley" }],
  [/^S3_/, { STORAGE_PROVIDER: "s3", S3_BUCKET: "media" }],
  [
    /^MINIO_/,
    { STORAGE_PROVIDER: "minio", MINIO_ENDPOINT: "http://minio:9000", MINIO_ACCESS_KEY: "a", MINIO_SECRET_KEY: "b" },
  ],
  [/^(SECRETS_DIR|SECRETS_PROVIDER)$/, {}],
  [/^AWS_SM_/, { SECRETS_PROVIDER: "aws_sm" }],
  [/^AZURE_KEY_VAULT_URL$/, { SECRETS_PROVIDER: "azure_kv" }],
  [/^GCP_/, { SECRETS_PROVIDER: "gcp_sm", GCP_PROJECT_ID: "parley" }],
  [/^VAULT_/, { SECRETS_PROVIDER: "vault", VAULT_ADDR: "http://vault:8200" }],
  [
    /^INFISICAL_/,
    {
      SECRETS_PROVIDER: "infisical",
      INFISICAL_PROJECT_ID: "a",
      INFISICAL_CLIENT_ID: "b",
      INFISICAL_CLIENT_SECRET: "c",
    },
  ],
  [/^PARLEY_TURN_URIS/, { PARLEY_TURN_SECRET: "shared" }],
  [/^AUTH_KEY_/, { AUTH_KEY_STORAGE_BACKEND: "secret-manager" }],
  [/^AZURE_/, { STORAGE_PROVIDER: "azure_blob", AZURE_STORAGE_ACCOUNT: "parley" }],
  [/^GCS_/, { STORAGE_PROVIDER: "gcs", GCS_BUCKET: "media" }],
];

function withContext(name: string, value: string): Record<string, string> {
  const [, env = {}] = contexts.find(([names]) => names.test(name)) ?? [];
  return { ...env, [name]: value };
}

/** Any text is an address or a folder; whether it can be used shows when it is. */
const anything = [
  "ENVIRONMENT",
  "DB_NAME",
  "DB_USER",
  "CREDENTIAL_STORAGE_PATH",
  "SECRETS_DIR",
  "AWS_SM_REGION",
  "GCP_PROJECT_ID",
  "VAULT_ROLE",
  "VAULT_AUTH_PATH",
  "VAULT_KUBERNETES_TOKEN_FILE",
  "VAULT_MOUNT",
  "VAULT_NAMESPACE",
  "INFISICAL_PROJECT_ID",
  "INFISICAL_ENVIRONMENT",
  "INFISICAL_CLIENT_ID",
  "AUTH_KEY_SECRET_NAME",
  "S3_BUCKET",
  "S3_REGION",
  "AZURE_STORAGE_ACCOUNT",
  "GCS_BUCKET",
  "MINIO_BUCKET",
  "AZURE_STORAGE_CONTAINER",
  "AZURE_TENANT_ID",
  "AZURE_CLIENT_ID",
  "AZURE_FEDERATED_TOKEN_FILE",
  "GOOGLE_APPLICATION_CREDENTIALS",
  "PARLEY_HOST",
  "PARLEY_APPSERVICES",
  "PARLEY_DATA_DIR",
  "PARLEY_METRICS_HOST",
];

test("every setting has values that are refused here, or takes any text", () => {
  assert.deepEqual(settings.map(({ name }) => name).toSorted(), [...Object.keys(refused), ...anything].toSorted());
});

for (const [name, values] of Object.entries(refused))
  test(`a wrong ${name} is refused with its name, its value and the fix`, () => {
    const isSecret = settings.find((setting) => setting.name === name)?.secret ?? false;
    for (const value of values)
      assert.throws(
        () => readConfig(withContext(name, value)),
        (error: unknown) => {
          assert.ok(error instanceof StartError);
          assert.match(error.message, new RegExp(`^${name} is .*: set it to .*\\.$`));
          assert.equal(error.message.includes(`"${value}"`), !isSecret);
          assert.equal(error.message.includes("hunter2"), false);
          return true;
        },
      );
  });

test("a queue in RabbitMQ needs the address of RabbitMQ", () => {
  assert.throws(() => readConfig({ PARLEY_QUEUE: "rabbitmq" }), /RABBITMQ_URL/);
  assert.equal(readConfig({ PARLEY_QUEUE: "rabbitmq", RABBITMQ_URL: "amqp://localhost" }).queue, "rabbitmq");
});

test("where other roles are, a gateway knows of all, and the role web of files that it does not reach", () => {
  const urls = { AUTH_URL: "http://auth:8081", MEDIA_URL: "http://media:8085" };
  const known = (more: Record<string, string>) => Object.keys(readConfig({ ...urls, ...more }).upstreams);
  assert.deepEqual(known({ ROLES: "gateway" }), ["auth", "media"]);
  assert.deepEqual(known({ ROLES: "web,gateway" }), ["auth", "media"]);
  assert.deepEqual(known({ ROLES: "web" }), ["media"]);
  assert.deepEqual(known({ ROLES: "web", STORAGE_PROVIDER: "s3", S3_BUCKET: "a" }), []);
  assert.deepEqual(known({ ROLES: "messages,worker" }), []);
});

test("a setting that does not exist is refused with those that do", () => {
  assert.throws(
    () => readConfig({ PARLEY_PROT: "1" }),
    /There is no setting PARLEY_PROT\. .*PARLEY_PORT.*DATABASE_URL/,
  );
});

test("without any setting the server is for this machine alone, and open to whoever sits at it", () => {
  const config = readConfig({ PATH: "/bin" });
  const { host, port, registration, serverName, metrics, databaseUrl } = config;
  assert.deepEqual(
    { host, port, registration, serverName, metrics, databaseUrl },
    {
      host: "127.0.0.1",
      port: 8008,
      registration: "open",
      serverName: "localhost",
      metrics: { host: "127.0.0.1", port: 9008 },
      databaseUrl: undefined,
    },
  );
});

test("a server that others can reach asks for a token to register, unless told otherwise", () => {
  assert.equal(readConfig({ PARLEY_HOST: "0.0.0.0" }).registration, "token");
  assert.equal(readConfig({ PARLEY_HOST: "0.0.0.0", PARLEY_REGISTRATION: "" }).registration, "token");
  assert.equal(readConfig({ PARLEY_HOST: "0.0.0.0", PARLEY_REGISTRATION: "open" }).registration, "open");
});

test("an empty variable is as good as none", () => {
  assert.deepEqual(readConfig(Object.fromEntries(settings.map(({ name }) => [name, ""]))), readConfig({}));
});

test("addresses lose the slash at their end, and a database may be reached through a socket", () => {
  assert.equal(readConfig({ PARLEY_PUBLIC_URL: "https://chat.example.org//" }).publicUrl, "https://chat.example.org");
  const socket = "postgres://parley@/parley?host=/run/postgresql";
  assert.equal(readConfig({ DATABASE_URL: socket }).databaseUrl, socket);
});

test("with PostgreSQL for all replicas the bus is PostgreSQL too, with an embedded one it is the memory of the process", () => {
  assert.equal(readConfig({}).bus, "memory");
  assert.equal(readConfig({ DATABASE_URL: "postgres://host/db" }).bus, "postgresql");
  assert.equal(readConfig({ DATABASE_URL: "postgres://host/db", PARLEY_BUS: "memory" }).bus, "memory");
});

test("a bus that has a server of its own is refused without its address", () => {
  for (const [bus, setting] of [
    ["redis", "REDIS_URL"],
    ["nats", "NATS_URL"],
    ["rabbitmq", "RABBITMQ_URL"],
  ] as const)
    assert.throws(
      () => readConfig({ PARLEY_BUS: bus }),
      new RegExp(`PARLEY_BUS is "${bus}", and ${setting} is not set: set`),
    );
  assert.equal(readConfig({ PARLEY_BUS: "nats", NATS_URL: "nats://host" }).natsUrl, "nats://host");
});

test("a setting may come under the name that other software gave it, and twice only where both say the same", () => {
  const [ours, theirs] = ["https://chat.example.org", "https://other.example.org"];
  assert.equal(readConfig({ APP_PUBLIC_URL: ours }).publicUrl, ours);
  assert.equal(readConfig({ APP_PUBLIC_URL: ours, PARLEY_PUBLIC_URL: ours }).publicUrl, ours);
  assert.throws(
    () => readConfig({ APP_PUBLIC_URL: theirs, PARLEY_PUBLIC_URL: ours }),
    /PARLEY_PUBLIC_URL and APP_PUBLIC_URL are one setting and differ/,
  );
});

test("a wrong value is refused under the name that it was given by", () => {
  assert.throws(() => readConfig({ APP_PUBLIC_URL: "chat" }), /^StartError: APP_PUBLIC_URL is "chat": set it to/);
  assert.throws(() => readConfig({ DSN: "host=x password=hunter2" }), /^StartError: DSN is not valid: set it to/);
});

test("an address may be the database's under each of its names", () => {
  const url = "postgresql://irc:irc@postgres:5432/irc";
  for (const name of ["DATABASE_URL", "DSN", "MESSAGES_DATABASE_URL"]) {
    const { databaseUrl, bus } = readConfig({ [name]: url });
    assert.deepEqual([databaseUrl, bus], [url, "postgresql"], name);
  }
  assert.throws(
    () => readConfig({ DSN: url, MESSAGES_DATABASE_URL: "postgres://b/c" }),
    (error: unknown) => {
      assert.match(String(error), /DSN and MESSAGES_DATABASE_URL are one setting and differ/);
      assert.doesNotMatch(String(error), /irc/);
      return true;
    },
  );
});

test("in production no setting for tests is taken", () => {
  assert.equal(readConfig({ ENVIRONMENT: "staging", PARLEY_RATE_LIMITS: "off" }).rateLimits, false);
  for (const weak of [{ PARLEY_RATE_LIMITS: "off" }, { PARLEY_PASSWORD_COST: "low" }])
    assert.throws(() => readConfig({ ENVIRONMENT: "production", ...weak }), /set it to .*ENVIRONMENT/);
});

test("a store of media has what it needs, or says what is missing", () => {
  const keys = { MINIO_ACCESS_KEY: "a", MINIO_SECRET_KEY: "file:///run/secrets/b" };
  assert.deepEqual(readConfig({ STORAGE_PROVIDER: "minio", MINIO_ENDPOINT: "http://minio:9000/", ...keys }).storage, {
    provider: "s3",
    bucket: "media",
    region: "us-east-1",
    endpoint: "http://minio:9000",
    keys: { accessKeyId: "a", secretAccessKey: "file:///run/secrets/b" },
  });
  for (const [env, missing] of [
    [{ STORAGE_PROVIDER: "s3" }, "S3_BUCKET"],
    [{ STORAGE_PROVIDER: "s3", S3_BUCKET: "media", S3_ACCESS_KEY_ID: "a" }, "S3_SECRET_ACCESS_KEY"],
    [{ STORAGE_PROVIDER: "minio", ...keys }, "MINIO_ENDPOINT"],
    [{ STORAGE_PROVIDER: "azure_blob" }, "AZURE_STORAGE_ACCOUNT"],
    [{ STORAGE_PROVIDER: "gcs" }, "GCS_BUCKET"],
  ] as const)
    assert.throws(() => readConfig(env), new RegExp(`needs ${missing}, which is not set: set it`));
});

test("a secret may be named where something knows names, and what opens the provider may not be in it", () => {
  const named = { REDIS_URL: "secret://prod/redis-url" };
  assert.throws(() => readConfig(named), /REDIS_URL is not valid: set it to .*SECRETS_PROVIDER/);
  assert.equal(readConfig({ SECRETS_PROVIDER: "files", ...named }).redisUrl, named.REDIS_URL);
  assert.equal(readConfig({ REDIS_URL: "file:///run/secrets/redis-url" }).redisUrl, "file:///run/secrets/redis-url");
  const vault = { SECRETS_PROVIDER: "vault", VAULT_ADDR: "http://vault:8200" };
  assert.throws(() => readConfig(vault), /needs VAULT_TOKEN, which is not set/);
  assert.throws(() => readConfig({ ...vault, VAULT_TOKEN: "secret://vault" }), /VAULT_TOKEN is not valid: set it to/);
});

test("keys of keys are where secrets are, unless they have a place of their own", () => {
  const wrapped = { AUTH_KEY_STORAGE_BACKEND: "secret-manager" };
  const { masterKeys } = readConfig({ ...wrapped, SECRETS_PROVIDER: "files" }).secrets;
  assert.deepEqual(masterKeys, {
    provider: { provider: "files", folder: "/run/secrets" },
    secretName: "parley-master-keys",
  });
  const own = { AUTH_KEY_STORAGE_PROVIDER: "gcp_sm", GCP_PROJECT_ID: "parley", AUTH_KEY_SECRET_NAME: "keys" };
  assert.equal(readConfig({ ...wrapped, ...own }).secrets.masterKeys?.provider.provider, "gcp_sm");
});

test("sessions are in PostgreSQL unless somebody says otherwise", () => {
  assert.equal(readConfig({}).sessionStorage, "postgresql");
  assert.equal(readConfig({ SESSION_STORAGE_TYPE: "memory" }).sessionStorage, "memory");
});
