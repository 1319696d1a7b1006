// The explorer of a server under test, before a real PostgreSQL that has Apache AGE, where this machine has one.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import type { Config } from "../../server/src/config.ts";
import { explorerOf } from "../../server/src/explorer/open.ts";
import { readAllowed } from "../../server/src/outward/guard.ts";
import { startAge } from "./age.ts";
import { type Json, type Person, registerPerson } from "./http.ts";
import { makeOperator } from "./operators.ts";
import { startTestServer, type TestServer } from "./server.ts";

export type Answered = { status: number; body: Json; text: string };

export type ExplorerWorld = {
  /** Why its tests are skipped; false where AGE is there. */
  skip: string | false;
  server: TestServer;
  owner: Person;
  operator: Person;
  auditor: Person;
  /** Who is no operator. */
  ana: Person;
  /** What the server has written to its log so far. */
  logged: string[];
  /** A connection to that database, as the operation takes it. */
  fields: ReturnType<typeof fieldsFor>;
  /** Asks below /_parley/admin/v1/explorer. A text is sent as it is. */
  ask(who: { token: string }, ...request: [method: string, path: string, body?: unknown]): Promise<Answered>;
  /** Saves a connection, with other fields where they are given, and gives its id. */
  save(who: { token: string }, over?: object): Promise<string>;
  /** Makes a graph, and gives the id of a connection to it. */
  graph(who: { token: string }, name: string): Promise<string>;
  stop(): Promise<void>;
};

/** What a server needs for an explorer that may reach this machine. */
export const explorerConfig = (): Config["explorer"] => ({
  hosts: readAllowed("127.0.0.1"),
  credentials: { type: "postgresql" },
  masterKey: randomBytes(32).toString("base64"),
});

/** The lines of an answer that is streamed, as JSON. */
export const linesOf = ({ text }: Pick<Answered, "text">): Json[] =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

/** The fields of a connection to the database at this URL. */
export function fieldsFor(url: string) {
  const { hostname, port, username, password } = new URL(url);
  return {
    name: "graphs",
    host: hostname,
    port: Number(port),
    database: "postgres",
    user: username,
    password,
    tls: "disable" as const,
  };
}

/** A server, four people of four roles, and the database beside it; where it is missing the server is there all the same. */
export async function startExplorer(): Promise<ExplorerWorld> {
  const age = await startAge({ preload: false });
  const server = await startTestServer({ config: { explorer: explorerConfig() } });
  const logged = listenTo(server);
  const fields = fieldsFor("missing" in age ? "postgres://nobody:nothing@127.0.0.1:1/x" : age.url);
  const [owner, operator, auditor, ana] = await Promise.all([
    makeOperator(server, "olga", "owner"),
    makeOperator(server, "omar", "operator"),
    makeOperator(server, "audrey", "auditor"),
    registerPerson(server.url, "ana"),
  ]);
  const ask: ExplorerWorld["ask"] = (who, ...request) => askExplorer(server.url, who, request);
  const save: ExplorerWorld["save"] = async (who, over = {}) => {
    const { status, body, text } = await ask(who, "POST", "/connections", { ...fields, ...over });
    assert.equal(status, 200, text);
    return body.id;
  };
  return {
    skip: "missing" in age && age.missing,
    server,
    owner,
    operator,
    auditor,
    ana,
    logged,
    fields,
    ask,
    save,
    async graph(who, name) {
      const id = await save(who);
      await createGraph(server, fields, name);
      return id;
    },
    async stop() {
      await server.stop();
      if (!("missing" in age)) await age.stop();
    },
  };
}

/** Through the explorer's own pool, under the name of the graph, so that a test may take its connection again. */
export async function createGraph(
  { ctx }: Pick<TestServer, "ctx">,
  fields: ExplorerWorld["fields"],
  name: string,
): Promise<void> {
  const taken = await explorerOf(ctx).pools.take({ owner: "test", id: name, version: 1 }, async () => ({
    ...fields,
    addresses: [fields.host],
    password: () => fields.password,
  }));
  await taken.connection.query("select '1'::ag_catalog.agtype");
  await taken.connection.query(`select ag_catalog.create_graph('${name}')`);
  taken.release();
}

function listenTo({ ctx: { logger } }: TestServer): string[] {
  const logged: string[] = [];
  for (const level of ["warn", "error", "info"] as const) {
    const before = logger[level];
    logger[level] = (...args: unknown[]) => {
      logged.push(inspect(args, { depth: 6 }));
      Reflect.apply(before, logger, args);
    };
  }
  return logged;
}

async function askExplorer(
  url: string,
  who: { token: string },
  [method, path, body]: [string, string, unknown?],
): Promise<Answered> {
  const isText = typeof body === "string";
  const response = await fetch(`${url}/_parley/admin/v1/explorer${path}`, {
    method,
    headers: { authorization: `Bearer ${who.token}` },
    ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = /^application\/json\b/.test(response.headers.get("content-type") ?? "");
  return { status: response.status, body: isJson ? JSON.parse(text) : undefined, text };
}
