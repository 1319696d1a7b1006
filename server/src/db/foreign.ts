/**
 * Connections to PostgreSQL servers that are not Parley's own. What is passed on are fields: no connection string, no option, no file.
 * The address is one that the caller has checked, and the socket is made to it, whatever the name resolves to by then.
 */
import { isIP, type Socket } from "node:net";
import pg from "pg";
import Cursor from "pg-cursor";
import { asError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Seams } from "../seams.ts";
import { readHosts } from "./hosts.ts";
import { roleOf, type Schema } from "./roles.ts";

export interface ForeignServer {
  /** What a certificate must be for. */
  host: string;
  /** To try in turn. */
  addresses: readonly string[];
  port: number;
  database: string;
  user: string;
  /** Asked for each connection, so that it is kept nowhere. */
  password(): string;
  /** As PostgreSQL calls them. */
  tls: "verify-full" | "require" | "disable";
  /** PEM. */
  ca?: string | undefined;
}

/** Parley's own database, as one of its roles. */
export interface OwnServer {
  url: string;
  role: Schema;
}

/** Every value is text, as the server writes it, and null is null. */
export type ForeignRow = readonly (string | null)[];

export interface ForeignConnection {
  /** What the server lists it as, for `pg_cancel_backend`. */
  pid: number;
  /** Throws ForeignError. */
  query(sql: string, values?: readonly unknown[]): Promise<ForeignRow[]>;
  /** Rows as they are asked for: no more than a batch is in memory. Whoever stops early closes it. Throws ForeignError. */
  stream(sql: string, values: readonly unknown[], batch_rows: number): AsyncGenerator<ForeignRow[], void, undefined>;
  /** Breaks it off once it has brought more than this from now on. */
  limitAnswer(most_bytes: number): void;
  isBroken(): boolean;
  /** At once, whatever it does. */
  cut(): void;
  end(): Promise<void>;
}

/** What another server said, or why it could not be reached. Holds no password; its text may hold parts of a query. */
export class ForeignError extends Error {
  /** PostgreSQL's code, such as 42601, or the system's, such as ECONNREFUSED. */
  readonly code: string;
  /** Where in the statement, in characters from 1. */
  readonly position: number | undefined;
  readonly hint: string | undefined;

  constructor(thrown: unknown) {
    const { code, position, hint, message } = asError(thrown) as pg.DatabaseError;
    super(message);
    this.name = "ForeignError";
    this.code = code ?? "unknown";
    this.position = position === undefined ? undefined : Number(position);
    this.hint = hint;
  }
}

const raw = { getTypeParser: () => (value: string) => value };

const common = {
  application_name: "parley explorer",
  connectionTimeoutMillis: limits.explorerConnect_ms,
  keepAlive: true,
  types: raw as never,
} satisfies pg.ClientConfig;

/** Connects to the first address that answers. Throws ForeignError. */
export async function connectForeign(server: ForeignServer | OwnServer, seams: Seams): Promise<ForeignConnection> {
  let failure: unknown;
  const ways = "url" in server ? ownWays(server) : server.addresses.map((address) => settingsOf(server, address));
  for (const way of ways) {
    const client = careful(new pg.Client(way));
    try {
      await client.connect();
      return connectionOn(client, seams);
    } catch (thrown) {
      client.connection.stream.destroy();
      failure = thrown;
      // A server that answered is the one that was meant.
      if (thrown instanceof pg.DatabaseError) break;
    }
  }
  throw new ForeignError(failure);
}

/** Everything is given: what is not would be taken from the environment of this process, or from files of its account. */
function settingsOf(server: ForeignServer, address: string): pg.ClientConfig {
  const { host, port, database, user, tls, ca } = server;
  return {
    host: address,
    port,
    database,
    user,
    password: () => server.password(),
    ssl: tls !== "disable" && {
      rejectUnauthorized: tls === "verify-full",
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(ca === undefined ? {} : { ca }),
    },
    client_encoding: "UTF8",
    // A blank, as an empty text would be the environment's.
    options: " ",
    ...common,
  };
}

function ownWays({ url, role }: OwnServer): pg.ClientConfig[] {
  return readHosts(url).urls.map((connectionString) => ({
    connectionString,
    options: `-c role=${roleOf(role)}`,
    ...common,
  }));
}

/**
 * The other end may be anything. What the driver can not make sense of it throws while it reads, where nobody would catch it, and an
 * error that comes with the greeting comes before anybody listens: both end the connection, and nothing else.
 */
function careful(client: pg.Client): pg.Client {
  client.on("error", () => {});
  const connection = client.connection as pg.Connection & { attachListeners(stream: Listened): void };
  const attach = connection.attachListeners.bind(connection);
  connection.attachListeners = (stream) =>
    attach({
      on: (event, listener) =>
        stream.on(event, (...told) => {
          try {
            listener(...told);
          } catch (thrown) {
            (stream as Socket).destroy(asError(thrown));
          }
        }),
    });
  return client;
}

/** What the driver needs of a stream to read from it. */
interface Listened {
  on(event: string, listener: (...told: unknown[]) => void): unknown;
}

function connectionOn(client: pg.Client, seams: Seams): ForeignConnection {
  let isBroken = false;
  let left_bytes = Infinity;
  const { stream } = client.connection;
  const cut = () => {
    isBroken = true;
    stream.destroy();
  };
  client.on("error", () => (isBroken = true));
  client.on("end", () => (isBroken = true));
  stream.on("data", (chunk: Buffer) => {
    left_bytes -= chunk.length;
    if (left_bytes < 0) cut();
  });
  return {
    pid: (client as unknown as { processID: number }).processID,
    async query(sql, values = []) {
      try {
        const { rows } = await client.query<(string | null)[]>({ text: sql, values: [...values], rowMode: "array" });
        return rows;
      } catch (thrown) {
        throw left_bytes < 0 ? tooLarge() : new ForeignError(thrown);
      }
    },
    async *stream(sql, values, batch_rows) {
      const cursor = client.query(new Cursor<(string | null)[]>(sql, [...values], { rowMode: "array", types: raw }));
      try {
        for (;;) {
          const rows = await cursor.read(batch_rows);
          if (rows.length > 0) yield rows;
          if (rows.length < batch_rows) return;
        }
      } catch (thrown) {
        throw left_bytes < 0 ? tooLarge() : new ForeignError(thrown);
      } finally {
        if (!isBroken) await cursor.close().catch(() => {});
      }
    },
    limitAnswer: (most_bytes) => void (left_bytes = most_bytes),
    isBroken: () => isBroken,
    cut,
    async end() {
      const patience = seams.after(limits.explorerCancel_ms, cut);
      await client.end().catch(() => {});
      patience.cancel();
    },
  };
}

function tooLarge(): ForeignError {
  return new ForeignError(Object.assign(new Error("the answer is too large"), { code: "too_large" }));
}
