/** The addresses in the settings that are spoken to with TLS, and the certificates in files that they name. */
import { readFileSync } from "node:fs";
import { providersIn } from "../../auth/sso/config.ts";
import type { Config } from "../../config.ts";
import { readHosts } from "../../db/hosts.ts";
import { StartError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { type Address, valueOf } from "../../secrets/address.ts";
import type { ProviderConfig } from "../../secrets/config.ts";
import { upstreamSettings } from "../../settings/table.ts";

/** What comes before TLS begins. */
export type Begin = "at once" | "postgresql" | "nats" | "smtp";

export interface Endpoint {
  /** The settings that name it. */
  setting: string;
  host: string;
  port: number;
  begin: Begin;
}

/** A setting, and the address that it stands for at this moment: reading it may fail. */
type Named = readonly [setting: string, read: () => readonly (string | undefined)[]];

/** Which addresses ask for TLS, with the port where none is named. */
const ways: Readonly<Record<string, readonly [port: number, begin: Begin]>> = {
  "https:": [443, "at once"],
  "rediss:": [6_379, "at once"],
  "amqps:": [5_671, "at once"],
  "smtps:": [465, "at once"],
  "syslog+tls:": [limits.syslogTls_port, "at once"],
  "tls:": [4_222, "nats"],
  "smtp:": [587, "smtp"],
  "postgres:": [5_432, "postgresql"],
  "postgresql:": [5_432, "postgresql"],
};

/** Each server once, with all settings that name it; and the settings that can not be read, with why. */
export function endpointsOf(config: Config): { endpoints: Endpoint[]; unread: { setting: string; why: string }[] } {
  const found = new Map<string, Endpoint>();
  const unread: { setting: string; why: string }[] = [];
  for (const [setting, read] of namedIn(config))
    try {
      for (const each of read()) {
        const endpoint = each === undefined ? undefined : endpointOf(setting, each);
        if (!endpoint) continue;
        const key = `${endpoint.host} ${endpoint.port} ${endpoint.begin}`;
        const known = found.get(key);
        if (!known) found.set(key, endpoint);
        else if (!known.setting.split(", ").includes(setting)) known.setting += `, ${setting}`;
      }
    } catch (thrown) {
      if (!(thrown instanceof StartError)) throw thrown;
      unread.push({ setting, why: thrown.message });
    }
  return { endpoints: [...found.values()], unread };
}

/** Where the address of a store of files stands. */
const storeSettings: Readonly<Record<Config["storage"]["provider"], string>> = {
  filesystem: "STORAGE_PROVIDER",
  s3: "S3_ENDPOINT or MINIO_ENDPOINT",
  azure_blob: "AZURE_STORAGE_ENDPOINT",
  gcs: "GCS_ENDPOINT",
};

function namedIn(config: Config): Named[] {
  const { redisUrl, natsUrl, rabbitmqUrl, mail, auditStream, storage, secrets, billing, roles } = config;
  const value = (setting: string, address: Address | undefined): Named => [
    setting,
    () => [address === undefined ? undefined : valueOf(address).trim()],
  ];
  const providers = [secrets.provider, secrets.masterKeys?.provider].flatMap((each) => (each ? [each] : []));
  return [
    ...databasesIn(config),
    value("REDIS_URL", redisUrl),
    value("NATS_URL", natsUrl),
    value("RABBITMQ_URL", rabbitmqUrl),
    value("SMTP_URL", mail?.url),
    value("PARLEY_AUDIT_STREAM", roles.includes("worker") ? auditStream?.url : undefined),
    ["PARLEY_SSO_PROVIDERS", () => providersIn(config.sso).map(({ issuer }) => issuer)],
    [storeSettings[storage.provider], () => ["endpoint" in storage ? storage.endpoint : undefined]],
    ["OTEL_EXPORTER_OTLP_ENDPOINT", () => [config.traces?.endpoint]],
    ...providers.map((each): Named => [`SECRETS_PROVIDER=${each.provider}`, () => [addressOf(each)]]),
    ["STRIPE_API_URL", () => [billing?.handles || billing?.replays ? billing.apiUrl : undefined]],
    ...upstreamSettings.map(([name, role]): Named => [name, () => config.upstreams[role] ?? []]),
    ["PARLEY_PUBLIC_URL", () => [config.publicUrl]],
    ["AUTH_ISSUER", () => [config.authIssuer]],
  ];
}

function addressOf(provider: ProviderConfig): string | undefined {
  if ("url" in provider) return provider.url;
  return "endpoint" in provider ? provider.endpoint : undefined;
}

/** Each of those that serve, also while a password is being changed and there are two of each. */
function databasesIn({ databaseUrl, databaseOwnerUrl, databaseReplicaUrls }: Config): Named[] {
  const named: [string, Address | undefined][] = [
    ["DATABASE_URL", databaseUrl],
    ["DATABASE_OWNER_URL", databaseOwnerUrl],
    ...databaseReplicaUrls.map((each): [string, Address] => ["DATABASE_REPLICA_URLS", each]),
  ];
  return named.map(([setting, address]) => [setting, () => (address === undefined ? [] : readHosts(address).urls)]);
}

/** Undefined where the address does not ask for TLS. */
function endpointOf(setting: string, address: string): Endpoint | undefined {
  const url = URL.parse(address);
  const way = url && Object.hasOwn(ways, url.protocol) ? ways[url.protocol] : undefined;
  if (!url || !way || url.hostname === "" || !asksForTls(url)) return undefined;
  const [port, begin] = way;
  return { setting, host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port) || port, begin };
}

/** PostgreSQL's addresses say it behind the question mark; a mail server is asked for it unless its address says otherwise. */
function asksForTls({ protocol, hostname, searchParams }: URL): boolean {
  if (protocol === "smtp:") return searchParams.get("ignoreTLS") !== "true";
  if (!protocol.startsWith("postgres")) return true;
  const isSocket = hostname.toLowerCase().startsWith("%2f");
  const mode =
    searchParams.get("sslmode") ?? (/^(true|1)$/.test(searchParams.get("ssl") ?? "") ? "require" : "disable");
  return !isSocket && mode !== "disable";
}

/** A certificate in PEM that the settings name: by which Parley shows a database who it is, or whom it believes. */
export interface CertificateFile {
  setting: string;
  read(): string;
  /** Each certificate in it is needed, and not one of them. */
  isChain: boolean;
}

/** Each file once. Those that a setting names which can not be read are left to `endpointsOf`. */
export function certificateFilesOf(config: Config): CertificateFile[] {
  const inAddresses = databasesIn(config).flatMap(([setting, read]) =>
    addressesOf(read).flatMap((address) => filesIn(setting, address)),
  );
  const ca = config.auditStream?.ca;
  const all =
    ca === undefined
      ? inAddresses
      : [...inAddresses, { setting: "PARLEY_AUDIT_STREAM_CA", read: () => valueOf(ca), isChain: false }];
  return [...new Map(all.map((each) => [each.setting, each])).values()];
}

function addressesOf(read: () => readonly (string | undefined)[]): string[] {
  try {
    return read().flatMap((each) => each ?? []);
  } catch {
    return [];
  }
}

function filesIn(setting: string, address: string): CertificateFile[] {
  const query = URL.parse(address)?.searchParams;
  return ["sslcert", "sslrootcert"].flatMap((name) => {
    const path = query?.get(name);
    if (!path) return [];
    return [
      { setting: `${setting}, ${name}=${path}`, read: () => readFileSync(path, "utf8"), isChain: name === "sslcert" },
    ];
  });
}
