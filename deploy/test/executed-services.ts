/**
 * What a release brings along that is not Parley: PostgreSQL, Redis, NATS and RabbitMQ run here as real servers, and an object store of the
 * test kit, with the users, passwords and settings of their manifests. The containers' own programs differ (their images can not be run), what Parley sees
 * of them does not: a wrong password, user, database or host in a manifest fails here as it does in a cluster.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createPostgres } from "../../testkit/src/postgres.ts";
import { connectOwner } from "../../server/src/db/database.ts";
import { superuser } from "../../server/src/db/embedded/cluster.ts";
import { startVault } from "../../testkit/src/clouds/secret-managers.ts";
import { startS3 } from "../../testkit/src/clouds/s3.ts";
import { missingService, startService } from "../../testkit/src/services.ts";
import type { Env } from "./executed-container.ts";
import type { Image } from "./executed-image.ts";
import type { Container } from "./executed-manifests.ts";
import type { Endpoint } from "./executed-network.ts";

export interface Setting {
  container: Container;
  /** As the manifest has it, with nothing moved to this machine. */
  env: Env;
  /** An address with the names and ports of Services, as it is on this machine. */
  localise(address: string): string;
  /** A file by its path in the container. */
  read(path: string): string;
  /** The names in a folder of the container. */
  list(path: string): string[];
  /** A folder for its data. */
  directory: string;
}

export interface ThirdParty {
  endpoint: Endpoint;
  stop(): Promise<void>;
}

/** Why what the images need can not be run here; false where it can. */
export function missingFor(images: readonly string[]): string | false {
  const names = (["redis", "nats", "rabbitmq"] as const).filter((name) =>
    images.some((image) => nameOf(image) === name),
  );
  return names.map((name) => missingService(name)).find((reason) => reason !== false) ?? false;
}

const kinds: Readonly<Record<string, (setting: Setting) => Promise<ThirdParty>>> = {
  postgres: startPostgres,
  redis: startRedis,
  nats: async () => served(await startService("nats")),
  rabbitmq: startRabbitMq,
  minio: startMinio,
  vault: startVaultServer,
};

/** `docker.io/library/redis:7.4.5-bookworm` is redis. */
export function nameOf(image: string): string {
  return image
    .replace(/[@:][^/]*$/, "")
    .split("/")
    .at(-1) as string;
}

/** Of the references those that are Parley's own, by the names of the images. */
export function imagesFor(references: readonly string[], own: Readonly<Record<string, Image>>): Map<string, Image> {
  return new Map(references.flatMap((each) => (own[nameOf(each)] ? [[each, own[nameOf(each)] as Image]] : [])));
}

/** Starts what the image stands for; undefined for an image that is not known here. */
export function startThirdParty(setting: Setting): Promise<ThirdParty> | undefined {
  return kinds[nameOf(setting.container.image)]?.(setting);
}

/** What the superuser of the test kit's databases is called here: its own name is one that manifests use. */
const KEEPER = "keeper";

/** A variable, or what is in the file that its sibling names. */
function given({ env, read }: Setting, name: string): string {
  const file = env[`${name}_FILE`];
  return env[name] ?? (file === undefined ? "" : read(file).trim());
}

/** As the image's entry point does it: an administrator, a database, and the scripts of its folder. Then everybody needs a password. */
async function startPostgres(setting: Setting): Promise<ThirdParty> {
  const { container, directory } = setting;
  const args = (container.args ?? []).filter((each) => each.startsWith("max_connections="));
  const settings = Object.fromEntries(args.map((each) => each.split("=") as [string, string]));
  const postgres = await createPostgres(join(directory, "postgres"), settings);
  const address = (user: string, database: string) =>
    postgres.url.replace(/\/\/[^@]*@/, `//${user}@`).replace(/[^/]*$/, database);
  const user = given(setting, "POSTGRES_USER") || "postgres";
  const database = given(setting, "POSTGRES_DB") || user;
  const [files] = await postgres.query<{ hba_file: string }>("show hba_file");
  await postgres.query(`create role "${user}_first" superuser login`);
  const password = given(setting, "POSTGRES_PASSWORD");
  await execute(address(`${user}_first`, "postgres"), [
    `alter role ${superuser} rename to ${KEEPER}`,
    `create role "${user}" superuser login password '${password}'`,
    ...(database === "postgres" ? [] : [`create database "${database}" owner "${user}"`]),
  ]);
  for (const { args, sql } of await runScripts(setting, { POSTGRES_USER: user, POSTGRES_DB: database }))
    await execute(address(user, optionOf(args, "dbname") ?? user), statementsOf(sql, args));
  writeFileSync(files?.hba_file ?? "", `local all ${KEEPER} peer map=parley\nlocal all all scram-sha-256\n`);
  await execute(address(KEEPER, "postgres"), [`drop role "${user}_first"`, "select pg_reload_conf()"]);
  return { endpoint: { path: postgres.socket }, stop: () => postgres.crash() };
}

async function execute(url: string, statements: readonly string[]): Promise<void> {
  const client = await connectOwner(url);
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

/** What a script said to psql. */
type Said = { args: string[]; sql: string };

/** Runs the scripts of /docker-entrypoint-initdb.d as they are, with a psql that writes down what it is told. */
async function runScripts({ container, env, read, list, directory }: Setting, more: Env): Promise<Said[]> {
  const [told, bin] = [join(directory, "told.jsonl"), join(directory, "bin")];
  mkdirSync(bin);
  writeFileSync(told, "");
  const note = `import{appendFileSync as a,readFileSync as r}from"node:fs";a(${JSON.stringify(told)},JSON.stringify({args:process.argv.slice(2),sql:r(0,"utf8")})+"\\n")`;
  writeFileSync(join(bin, "psql.mjs"), note);
  writeFileSync(join(bin, "psql"), `#!/bin/sh\nexec '${process.execPath}' '${join(bin, "psql.mjs")}' "$@"\n`, {
    mode: 0o755,
  });
  const folder = "/docker-entrypoint-initdb.d";
  if (!(container.volumeMounts ?? []).some(({ mountPath }) => mountPath === folder)) return [];
  for (const name of list(folder).toSorted()) {
    const child = spawn("bash", ["-c", read(`${folder}/${name}`)], {
      env: { ...env, ...more, PATH: `${bin}:/usr/bin:/bin` },
      stdio: ["ignore", "inherit", "inherit"],
    });
    const [code] = await once(child, "close");
    if (code !== 0) throw new Error(`${name} ended with ${code}`);
  }
  return readFileSync(told, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Said);
}

function optionOf(args: readonly string[], name: string): string | undefined {
  const at = args.findIndex((each) => each === `--${name}` || each.startsWith(`--${name}=`));
  return at < 0 ? undefined : args[at]?.includes("=") ? args[at].slice(args[at].indexOf("=") + 1) : args[at + 1];
}

/** The statements with psql's variables put in: `:'name'` and `:"name"`. */
function statementsOf(sql: string, args: readonly string[]): string[] {
  const pairs = args.flatMap((each, i) =>
    each === "--set" ? [args[i + 1] ?? ""] : each.startsWith("--set=") ? [each.slice(6)] : [],
  );
  const values = new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]));
  const filled = sql
    .replaceAll(/:'(\w+)'/g, (_all, name: string) => `'${values.get(name)?.replaceAll("'", "''")}'`)
    .replaceAll(/:"(\w+)"/g, (_all, name: string) => `"${values.get(name)?.replaceAll('"', '""')}"`);
  return filled.split(/;\s*$/m).filter((statement) => statement.trim() !== "");
}

/** With the configuration file that its arguments name. */
async function startRedis({ container, read }: Setting): Promise<ThirdParty> {
  const file = [...(container.command ?? []), ...(container.args ?? [])].find((each) => each.endsWith(".conf"));
  return served(await startService("redis", file === undefined ? "" : read(file)));
}

/** With the parts of its configuration that are mounted. */
async function startRabbitMq({ container, read }: Setting): Promise<ThirdParty> {
  const files = (container.volumeMounts ?? []).filter(({ mountPath }) => mountPath.endsWith(".conf"));
  return served(await startService("rabbitmq", files.map(({ mountPath }) => read(mountPath)).join("\n")));
}

function served(service: { url: string; stop(): Promise<void> }): ThirdParty {
  return { endpoint: { port: Number(new URL(service.url).port) }, stop: service.stop };
}

/** The store of the test kit, which checks signatures, with the keys of the manifest. */
async function startMinio(setting: Setting): Promise<ThirdParty> {
  const { env } = setting;
  const store = await startS3();
  store.keys.accessKeyId = given(setting, "MINIO_ROOT_USER");
  store.keys.secretAccessKey = given(setting, "MINIO_ROOT_PASSWORD");
  store.bucket = env["MINIO_DEFAULT_BUCKETS"] ?? store.bucket;
  return { endpoint: { port: Number(new URL(store.url).port) }, stop: async () => store[Symbol.asyncDispose]() };
}

/** The one of the test kit, with the token of a development server, and secrets from variables: SECRET_ and a path. */
async function startVaultServer({ env, localise }: Setting): Promise<ThirdParty> {
  const vault = await startVault({ token: env["VAULT_DEV_ROOT_TOKEN_ID"] });
  for (const [name, value] of Object.entries(env))
    if (name.startsWith("SECRET_")) vault.secrets.set(name.slice("SECRET_".length), localise(value ?? ""));
  return { endpoint: { port: Number(new URL(vault.url).port) }, stop: async () => vault[Symbol.asyncDispose]() };
}
