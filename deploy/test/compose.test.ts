/** The compose file against the description of a release, the settings, and the overlays: what it starts is what they start. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { parse } from "yaml";
import { readConfig } from "../../server/src/config.ts";
import { settings } from "../../server/src/settings/table.ts";
import { images, servicePorts, shapes, workloads, type WorkloadName } from "../src/release.ts";
import { readDockerfile, readRun } from "./dockerfile.ts";
import { repoRoot } from "./tools.ts";

interface Service {
  image: string;
  profiles: string[];
  command?: string[];
  environment?: Record<string, string>;
  secrets?: (string | { source: string; target: string })[];
  depends_on?: Record<string, { condition: string }>;
  volumes?: string[];
  ports?: string[];
  tmpfs?: string[];
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  healthcheck?: { test?: string[]; disable?: boolean };
  stop_grace_period?: string;
}

const file = readFileSync(join(repoRoot, "deploy", "compose.yaml"), "utf8");
const compose = parse(file, { merge: true, uniqueKeys: true }) as {
  services: Record<string, Service>;
  secrets: Record<string, { file: string }>;
  volumes: Record<string, unknown>;
};
const services = Object.entries(compose.services);
const own = services.filter(([, { image }]) => image.startsWith(`${images.server}:`));
const servers = own.filter(([name]) => name !== "schema");
const inProfile = (profile: string) => services.filter(([, { profiles }]) => profiles.includes(profile));

const folder = mkdtempSync(join(tmpdir(), "parley-compose-"));
after(() => rmSync(folder, { recursive: true }));
cpSync(join(repoRoot, "deploy", "compose-secrets.sh"), join(folder, "compose-secrets.sh"));
const makeSecrets = () => execFileSync("sh", [join(folder, "compose-secrets.sh")]);
const secret = (name: string) => readFileSync(join(folder, "secrets", name), "utf8");
makeSecrets();

/** What compose would put in for `${NAME:-default}`. */
const filled = (text: string) => text.replaceAll(/\$\{\w+:-([^}]*)\}/g, "$1");

/** The environment of a service, with the image's, as the process would see it. */
function environmentOf({ environment = {} }: Service): Record<string, string> {
  const { env } = readRun(readDockerfile(join(repoRoot, "deploy", "Dockerfile")));
  const given = Object.entries(environment).map(([name, value]) => [name, filled(value)]);
  return { ...env, ...Object.fromEntries(given) } as Record<string, string>;
}

test("small is PostgreSQL and one Parley; full is a process for each role and every service that Parley can use", () => {
  assert.deepEqual(
    inProfile("small")
      .map(([name]) => name)
      .toSorted(),
    ["parley", "postgres", "schema"],
  );
  const full = ["minio", "nats", "postgres", "rabbitmq", "redis", "schema", ...shapes.split];
  assert.deepEqual(
    inProfile("full")
      .map(([name]) => name)
      .toSorted(),
    full.toSorted(),
  );
});

test("each server's settings are there and accepted, and no setting has a secret in it", () => {
  const secrets = settings.filter(({ secret }) => secret).map(({ name }) => name);
  for (const [name, service] of own) {
    const env = environmentOf(service);
    readConfig(env);
    for (const setting of Object.keys(service.environment ?? {})) {
      assert.ok(
        settings.some((each) => each.name === setting),
        `${name}: ${setting}`,
      );
      if (secrets.includes(setting))
        assert.match(env[setting] ?? "", /^file:\/\/\/run\/secrets\//, `${name}: ${setting}`);
    }
  }
});

test("roles, drains and the time to end are those of the release", () => {
  for (const [name, service] of servers.filter(([name]) => name !== "parley")) {
    const { roles, drain_ms } = readConfig(environmentOf(service));
    const { roles: wanted, drain_s, grace_s } = workloads[name as WorkloadName];
    assert.deepEqual([name, roles], [name, wanted]);
    assert.deepEqual([name, drain_ms, service.stop_grace_period], [name, drain_s * 1_000, `${grace_s}s`]);
  }
});

test("a server is as confined as a pod, and asked whether it is ready", () => {
  for (const [name, service] of own) {
    assert.equal(service.read_only, true, name);
    assert.deepEqual([service.cap_drop, service.security_opt], [["ALL"], ["no-new-privileges:true"]]);
    assert.ok(
      service.tmpfs?.some((each) => each.startsWith("/var/cache/parley:")),
      name,
    );
    if (name === "schema") continue;
    // Uploads arrive below PARLEY_DATA_DIR, also on their way to an object store.
    const { roles } = readConfig(environmentOf(service));
    if (roles.includes("media"))
      assert.ok(
        service.volumes?.some((each) => each.endsWith(":/var/lib/parley")),
        name,
      );
    const { metrics } = readConfig(environmentOf(service));
    assert.match(service.healthcheck?.test?.join(" ") ?? "", new RegExp(`:${metrics?.port}/health/ready`), name);
  }
});

test("what a service refers to is there: secrets, volumes, files, other services that have a health check", () => {
  for (const [name, { secrets = [], volumes = [], depends_on = {}, environment = {} }] of services) {
    const mounted = secrets.map((each) => (typeof each === "string" ? `/run/secrets/${each}` : each.target));
    for (const each of secrets) assert.ok((typeof each === "string" ? each : each.source) in compose.secrets, name);
    for (const value of Object.values(environment))
      for (const [path] of value.matchAll(/\/run\/secrets\/[\w./-]+/g))
        assert.ok(mounted.includes(path), `${name}: ${path}`);
    for (const volume of volumes) {
      const [source = ""] = volume.split(":");
      const isThere = source.startsWith("./")
        ? existsSync(join(repoRoot, "deploy", source))
        : source in compose.volumes;
      assert.ok(isThere, `${name}: ${source}`);
    }
    for (const [other, { condition }] of Object.entries(depends_on)) {
      const service = compose.services[other] as Service;
      if (condition === "service_healthy") assert.ok(service.healthcheck?.test, `${name} waits for ${other}`);
      for (const profile of (compose.services[name] as Service).profiles)
        assert.ok(service.profiles.includes(profile), `${name} in ${profile} waits for ${other}`);
    }
  }
});

test("addresses name a service and the port that it listens on", () => {
  const ports: Record<string, readonly number[]> = {
    postgres: servicePorts.postgresql,
    redis: servicePorts.redis,
    nats: servicePorts.nats,
    rabbitmq: servicePorts.rabbitmq,
    minio: servicePorts.objects,
    ...Object.fromEntries(servers.map(([name, service]) => [name, [readConfig(environmentOf(service)).port]])),
  };
  const urls = readdirSync(join(folder, "secrets"))
    .filter((name) => name.endsWith("-url"))
    .map(secret);
  const named = servers.flatMap(([, { environment = {} }]) =>
    Object.entries(environment).flatMap(([name, value]) =>
      /_(URL|ENDPOINT)$/.test(name) && /^http:\/\/\w/.test(value) ? value : [],
    ),
  );
  assert.equal(urls.length, 5);
  for (const url of [...urls, ...named]) {
    const { hostname, port } = new URL(url);
    assert.ok(ports[hostname]?.includes(Number(port)), url);
  }
});

test("people reach one port, on this machine only", () => {
  for (const profile of ["small", "full"])
    assert.deepEqual(
      inProfile(profile).flatMap(([, { ports = [] }]) => ports),
      ["127.0.0.1:8080:8080"],
    );
});

test("images have exact versions, the same as the manifests", () => {
  const manifests = readdirSync(join(repoRoot, "deploy", "kustomize"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".yaml"))
    .map((path) => readFileSync(join(repoRoot, "deploy", "kustomize", path), "utf8"))
    .join("\n");
  for (const [name, { image }] of services) {
    const [repository = "", tag = ""] = image.split(/:(?=[^/]*$)/);
    assert.match(tag, /\d+\.\d+\.\d+|\d+\.\d+-|RELEASE\.\d{4}/, name);
    const others = [...manifests.matchAll(new RegExp(`image: ${repository}:(\\S+)`, "g"))].map(([, other]) => other);
    assert.deepEqual([...new Set(others)], repository.endsWith("/nats") ? [] : [tag], image);
  }
});

test("secrets are random, made once, and only their owner can enter the folder", () => {
  const before = readdirSync(join(folder, "secrets")).map((name) => [name, secret(name)] as const);
  const names = before.map(([name]) => name);
  for (const { file } of Object.values(compose.secrets))
    assert.ok(names.includes(file.replace("./secrets/", "")), file);
  makeSecrets();
  assert.deepEqual(
    readdirSync(join(folder, "secrets")).map((name) => [name, secret(name)]),
    before,
  );
  assert.equal(statSync(join(folder, "secrets")).mode & 0o777, 0o700);
  const passwords = before.map(([, text]) => text).filter((text) => /^[0-9a-f]{48}$/.test(text));
  assert.equal(new Set(passwords).size, 7);
  for (const [url, password] of Object.entries({
    "database-url": "postgres-parley",
    "redis-url": "redis",
    "nats-url": "nats",
    "rabbitmq-url": "rabbitmq",
  }))
    assert.equal(new URL(secret(url)).password, secret(password));
});
