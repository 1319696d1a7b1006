// An application service for tests: an HTTP server that writes down what it is asked, and a registration file that names it.

import { createServer, type IncomingMessage } from "node:http";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { type Json, type Received, request } from "./http.ts";
import { sharedChecker } from "./checked-fetch.ts";
import { listening } from "./listening.ts";
import { waitFor } from "./wait.ts";

/** A request of the server. */
export type AskedOfService = { method: string; path: string; query: URLSearchParams; token: string; body: Json };

export type ServiceAnswer = { status: number; body?: Json };

export type TestService = AsyncDisposable & {
  /** Of its registration: for the setting PARLEY_APPSERVICES. */
  file: string;
  url: string;
  id: string;
  asToken: string;
  hsToken: string;
  /** What it was asked, the oldest first. */
  asked: AskedOfService[];
  /** Decides what it answers; at first 200 to everything. */
  answer: (asked: AskedOfService) => ServiceAnswer | Promise<ServiceAnswer>;
  /** Resolves with what `look` finds in what it was asked. */
  until<T>(what: string, look: (asked: readonly AskedOfService[]) => T | undefined | false): Promise<T>;
  /** The bodies of its transactions, each id once, the oldest first. */
  transactions(): { txnId: string; body: Json }[];
  /** All events that it was sent. */
  events(): Json[];
};

const transactionSchema = {
  file: "api/application-service/transactions.yaml",
  pointer: "/paths/~1transactions~1{txnId}/put/requestBody/content/application~1json/schema",
};

/** Starts one. `registration` adds to the file, or replaces what stands there. */
export async function startService(id: string, registration: Json = {}): Promise<TestService> {
  const asked: AskedOfService[] = [];
  const lookers = new Set<() => void>();
  const directory = mkdtempSync(join(tmpdir(), "parley-service-"));
  const [asToken, hsToken] = [`as-token-of-${id}-0123456789`, `hs-token-of-${id}-0123456789`];
  const server = createServer((incoming, outgoing) => {
    void readAsked(incoming).then(async (each) => {
      asked.push(each);
      for (const look of lookers) look();
      const { status, body = {} } = await service.answer(each);
      outgoing.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
  });
  const open = await listening(server);
  const url = `http://127.0.0.1:${open.port}`;
  const file = join(directory, `${id}.yaml`);
  writeFileSync(file, stringify(registrationOf({ id, url, asToken, hsToken }, registration)));
  const service: TestService = {
    file,
    url,
    id,
    asToken,
    hsToken,
    asked,
    answer: () => ({ status: 200 }),
    until: (what, look) =>
      waitFor({
        what,
        check: () => look(asked),
        listen: (again) => {
          lookers.add(again);
          return () => lookers.delete(again);
        },
        instead: () => JSON.stringify(asked.map(({ method, path, body }) => [method, path, body])),
      }),
    transactions: () => transactionsOf(asked),
    events: () => transactionsOf(asked).flatMap(({ body }) => body.events),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await open[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return service;
}

/** A request as the service, or as one of its users: `await askAs(server.url, service, "GET", path, { user_id })`. */
export function askAs(
  url: string,
  { asToken }: Pick<TestService, "asToken">,
  ...[method, path, query = {}, body]: [string, string, Record<string, string>?, unknown?]
): Promise<Received> {
  const search = new URLSearchParams(query).toString();
  const at = search === "" ? path : `${path}${path.includes("?") ? "&" : "?"}${search}`;
  return request(url, method, at, { token: asToken, ...(body === undefined ? {} : { body }) });
}

function registrationOf(own: Pick<TestService, "id" | "url" | "asToken" | "hsToken">, registration: Json): Json {
  return {
    id: own.id,
    url: own.url,
    as_token: own.asToken,
    hs_token: own.hsToken,
    sender_localpart: `_${own.id}_bot`,
    namespaces: {
      users: [{ exclusive: true, regex: `@_${own.id}_.*` }],
      aliases: [{ exclusive: true, regex: `#_${own.id}_.*` }],
      rooms: [],
    },
    rate_limited: false,
    ...registration,
  };
}

async function readAsked(incoming: IncomingMessage): Promise<AskedOfService> {
  const { pathname, searchParams } = new URL(incoming.url as string, "http://service");
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString("utf8");
  const body: Json = text === "" ? undefined : JSON.parse(text);
  const token = /^Bearer (.*)$/.exec(incoming.headers.authorization ?? "")?.[1] ?? "";
  if (/\/transactions\//.test(pathname)) sharedChecker()?.checkSent("a transaction", transactionSchema, body);
  return { method: incoming.method as string, path: decodeURIComponent(pathname), query: searchParams, token, body };
}

function transactionsOf(asked: readonly AskedOfService[]): { txnId: string; body: Json }[] {
  const found = new Map<string, Json>();
  for (const { path, body } of asked) {
    const txnId = /^\/_matrix\/app\/v1\/transactions\/(.+)$/.exec(path)?.[1];
    if (txnId !== undefined && !found.has(txnId)) found.set(txnId, body);
  }
  return [...found].map(([txnId, body]) => ({ txnId, body }));
}
