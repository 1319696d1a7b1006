/**
 * What stands in for a cluster of CloudNativePG in an executed release: one plain PostgreSQL with the users, the database, the Secret
 * and the Services that the operator would make of the same manifest. The extension is left out, whose image this machine has not.
 */
import { randomBytes } from "node:crypto";
import type { KubernetesObject } from "./schema.ts";

interface Made {
  database: string;
  owner: string;
  postInitApplicationSQL?: string[];
}

interface ClusterSpec {
  /** There is no archive to recover from: a recovery needs a cluster of the same name that is there already. */
  bootstrap: { initdb: Made } | { recovery: Made };
  managed: { roles: { name: string; passwordSecret: { name: string } }[] };
  postgresql: { parameters: Record<string, string> };
}

/** The objects with each Cluster replaced. */
export function withoutOperator(objects: readonly KubernetesObject[]): KubernetesObject[] {
  return objects.flatMap((object) => (object.kind === "Cluster" ? standIn(object) : object));
}

/** Of the owner: the operator keeps the one that it made. */
const password = randomBytes(12).toString("hex");

function standIn({ metadata: { name, annotations = {} }, ...rest }: KubernetesObject): KubernetesObject[] {
  const { bootstrap, managed, postgresql } = rest["spec"] as ClusterSpec;
  const {
    database,
    owner,
    postInitApplicationSQL = [],
  } = "recovery" in bootstrap ? bootstrap.recovery : bootstrap.initdb;
  const metadata = (own: string) => ({ name: own, annotations });
  const labels = { "cnpg.io/cluster": name };
  const statements = [
    `create role ${owner} login password '${password}'`,
    `create database ${database} owner ${owner}`,
    ...postInitApplicationSQL.filter((each) => !/^create extension|\bag_catalog\b/.test(each)),
    ...managed.roles.map((role) => `alter role ${role.name} password :'${role.name}'`),
  ];
  const given = managed.roles.map((role) => `--set ${role.name}="$(cat /secrets/${role.name}/password)"`).join(" ");
  const script = `psql --username postgres ${given} <<'SQL'\n${statements.join(";\n")};\nSQL\n`;
  const service = (own: string) => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: metadata(own),
    spec: { selector: labels, ports: [{ name: "postgresql", port: 5432, targetPort: "postgresql" }] },
  });
  const container = {
    name: "postgres",
    image: "postgres:17.6-bookworm",
    args: ["-c", `max_connections=${postgresql.parameters["max_connections"]}`],
    ports: [{ name: "postgresql", containerPort: 5432 }],
    env: [{ name: "POSTGRES_USER", value: "postgres" }],
    volumeMounts: [
      { name: "init", mountPath: "/docker-entrypoint-initdb.d" },
      ...managed.roles.map((role) => ({ name: role.name, mountPath: `/secrets/${role.name}` })),
    ],
  };
  const secrets = managed.roles.map((role) => ({ name: role.name, secret: { secretName: role.passwordSecret.name } }));
  const volumes = [{ name: "init", configMap: { name: `${name}-init` } }, ...secrets];
  const template = { metadata: { labels }, spec: { containers: [container], volumes } };
  const uri = `postgresql://${owner}:${password}@${name}-rw:5432/${database}`;
  return [
    { apiVersion: "v1", kind: "Secret", metadata: metadata(`${name}-app`), stringData: { uri } },
    { apiVersion: "v1", kind: "ConfigMap", metadata: metadata(`${name}-init`), data: { "init.sh": script } },
    service(`${name}-rw`),
    service(`${name}-ro`),
    {
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata: metadata(name),
      spec: { replicas: 1, selector: { matchLabels: labels }, template },
    },
  ];
}
