/** What an operator has in the namespace anyway, for releases that bring no database or broker of their own. */
import type { KubernetesObject } from "./schema.ts";

interface Beside {
  name: string;
  image: string;
  port: number;
  env?: Record<string, string>;
}

/** A server of one pod, and its Service, both called `name`. */
export function serverBeside({ name, image, port, env = {} }: Beside): KubernetesObject[] {
  const labels = { app: name };
  const container = {
    name,
    image,
    ports: [{ name, containerPort: port }],
    env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
  };
  const template = { metadata: { labels }, spec: { containers: [container] } };
  return [
    {
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata: { name },
      spec: { replicas: 1, selector: { matchLabels: labels }, template },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name },
      spec: { selector: labels, ports: [{ name, port, targetPort: name }] },
    },
  ];
}

export function secretBeside(name: string, stringData: Record<string, string>): KubernetesObject {
  return { apiVersion: "v1", kind: "Secret", metadata: { name }, stringData };
}

/** A PostgreSQL that somebody looks after, whose one user owns the database, and the Secret that leads to it. */
export const databaseUrl = "postgres://parley:secret@db:5432/parley";
export const databaseBeside: readonly KubernetesObject[] = [
  ...serverBeside({
    name: "db",
    image: "postgres:17.6-bookworm",
    port: 5432,
    env: { POSTGRES_USER: "parley", POSTGRES_PASSWORD: "secret", POSTGRES_DB: "parley" },
  }),
  secretBeside("parley-database", { DATABASE_URL: databaseUrl }),
];
