/** Handing entries to the system that collects them. Its address is an operator's own, so it may be in a private network. */
import { request as requestPlainly } from "node:http";
import { request as requestSecurely } from "node:https";
import { isIP } from "node:net";
import { connect } from "node:tls";
import { limits } from "../../../limits.ts";
import { valueOf } from "../../../secrets/address.ts";
import type { AuditRow } from "../entries.ts";
import { type AuditStream, targetOf } from "./config.ts";
import { jsonLine, syslogFrame } from "./lines.ts";

export interface Sending {
  stream: AuditStream;
  serverName: string;
  rows: readonly AuditRow[];
  /** Ends it: it took too long, or the worker stops. */
  signal: AbortSignal;
}

/** Resolves when the other end has all of them; throws where that is not known. */
export function sendEntries({ stream, serverName, rows, signal }: Sending): Promise<void> {
  const url = targetOf(stream);
  const ca = stream.ca === undefined ? {} : { ca: valueOf(stream.ca) };
  if (url.protocol === "syslog+tls:") {
    const frames = rows.map((row) => syslogFrame(serverName, row)).join("");
    return writeFrames(url, { text: frames, ca, signal });
  }
  const headers: Record<string, string> = {};
  if (stream.authorization !== undefined) headers["authorization"] = valueOf(stream.authorization);
  const lines = rows.map((row) => `${jsonLine(serverName, row)}\n`).join("");
  return post(url, { text: lines, ca, headers, signal });
}

interface Wire {
  text: string;
  ca: { ca?: string };
  signal: AbortSignal;
}

/** Anything but 2xx is a refusal; where an answer points elsewhere, that is not followed. */
function post(url: URL, { text, ca, headers, signal }: Wire & { headers: Record<string, string> }): Promise<void> {
  const body = Buffer.from(text);
  const all = {
    "content-type": "application/x-ndjson",
    "content-length": body.length,
    "user-agent": "Parley",
    ...headers,
  };
  const options = { method: "POST", headers: all, signal, agent: false, ...ca };
  return new Promise((resolve, reject) => {
    const request = (url.protocol === "https:" ? requestSecurely : requestPlainly)(url, options, (answer) => {
      const { statusCode = 0 } = answer;
      answer.resume();
      answer.on("error", reject);
      answer.on("end", () =>
        statusCode >= 200 && statusCode < 300 ? resolve() : reject(new Error(`it answered ${statusCode}`)),
      );
    });
    request.on("error", reject);
    request.end(body);
  });
}

/**
 * Syslog has no answer. The end of our side asks the other one to close its own; where it does so in order it has read everything:
 * a process that ends with something unread resets the connection.
 */
function writeFrames(url: URL, { text, ca, signal }: Wire): Promise<void> {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = Number(url.port) || limits.syslogTls_port;
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, ...(isIP(host) ? {} : { servername: host }), ...ca }, () => socket.end(text));
    const abort = () => socket.destroy(new Error("it did not take everything in time"));
    signal.addEventListener("abort", abort, { once: true });
    socket.resume();
    socket.on("error", reject);
    socket.on("close", () => {
      signal.removeEventListener("abort", abort);
      if (socket.writableFinished && socket.readableEnded) resolve();
      else reject(new Error("it closed the connection before it had everything"));
    });
  });
}
