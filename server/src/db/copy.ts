/**
 * PostgreSQL's COPY as streams: all rows of a table out of the database or into it, in PostgreSQL's text format, which is the same in
 * every version. While such a stream is open, its connection can do nothing else.
 */
import { Readable, Writable } from "node:stream";
import type pg from "pg";
import { asError } from "../errors.ts";
import type { Connection } from "./database.ts";

/** What the driver's connection has for COPY beside what its types say. */
interface CopyConnection extends pg.Connection {
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
  sendCopyFail(reason: string): void;
}

/** A statement as the driver asks it to be handled: https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-COPY */
interface Copying {
  submit(connection: pg.Connection): void;
  handleCopyData?(message: { chunk: Buffer }): void;
  handleCopyInResponse?(): void;
  handleCommandComplete(): void;
  handleReadyForQuery(): void;
  handleError(thrown: unknown): void;
}

function start(client: Connection, copying: Copying): void {
  client.query(copying);
}

/** The rows of `copy … to stdout`. Reading slowly slows the database. */
export function copyOut(client: Connection, sql: string): Readable {
  const { stream } = client.connection;
  const rows = new Readable({ read: () => void stream.resume() });
  start(client, {
    submit: (connection) => connection.query(sql),
    handleCopyData({ chunk }) {
      // The driver uses its buffer again.
      if (!rows.push(Buffer.from(chunk))) stream.pause();
    },
    handleCommandComplete: () => {},
    handleReadyForQuery: () => void rows.push(null),
    handleError: (thrown) => void rows.destroy(asError(thrown)),
  });
  return rows;
}

/** Takes the rows for `copy … from stdin`. It finishes when the database has them, and fails as the statement does. */
export function copyIn(client: Connection, sql: string): Writable {
  const connection = client.connection as CopyConnection;
  const ready = Promise.withResolvers<void>();
  const done = Promise.withResolvers<void>();
  const fail = (thrown: unknown) => {
    ready.reject(asError(thrown));
    done.reject(asError(thrown));
  };
  // Whoever writes next, or ends, is told.
  for (const { promise } of [ready, done]) promise.catch(() => {});
  start(client, {
    submit: (to) => to.query(sql),
    handleCopyInResponse: ready.resolve,
    handleCommandComplete: () => {},
    handleReadyForQuery: done.resolve,
    handleError: fail,
  });
  const write = async (chunk: Buffer) => {
    await ready.promise;
    connection.sendCopyFromChunk(chunk);
    if (connection.stream.writableNeedDrain)
      await new Promise<void>((resolve) => void connection.stream.once("drain", resolve));
  };
  const end = async () => {
    await ready.promise;
    connection.endCopyFrom();
    await done.promise;
  };
  return new Writable({
    write: (chunk: Buffer, _encoding, callback) => void write(chunk).then(() => callback(), callback),
    final: (callback) => void end().then(() => callback(), callback),
    destroy(error, callback) {
      if (error) connection.sendCopyFail(error.message);
      callback(error);
    },
  });
}
