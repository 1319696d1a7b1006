/**
 * One HTTP request to a server that somebody else named. The guard says where it goes, and the connection is made to an address that
 * the guard saw; a redirect is an answer like any other and is never followed; what is longer or slower than allowed fails.
 */
import { Agent, type IncomingMessage, request as requestPlainly, type RequestOptions } from "node:http";
import { Agent as SecureAgent, request as requestSecurely } from "node:https";
import { isIPv6, type LookupFunction } from "node:net";
import { asError, matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Seams } from "../seams.ts";
import { type GuardOptions, placeFor } from "./guard.ts";

export interface Outgoing {
  method: "GET" | "POST";
  url: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** From the look-up to the last byte of the answer. */
  timeout_ms: number;
  /** The longest answer. */
  answer_bytes: number;
  signal?: AbortSignal;
}

export interface Incoming {
  status: number;
  headers: IncomingMessage["headers"];
  body: Buffer;
}

// Whoever is told of much keeps a connection, so that not every request pays for TLS.
const agentOptions = { keepAlive: true, maxSockets: limits.outwardHost_sockets, maxFreeSockets: 1, timeout: 15_000 };
const agents = { plain: new Agent(agentOptions), secure: new SecureAgent(agentOptions) };

/**
 * Sends the request and gives the whole answer, whatever its status. Throws M_FORBIDDEN and M_INVALID_PARAM as the guard does, and
 * Error where no whole answer came.
 */
export async function sendOutward(seams: Seams, outgoing: Outgoing, guard: GuardOptions): Promise<Incoming> {
  const ending = new AbortController();
  const timer = seams.after(outgoing.timeout_ms, () =>
    ending.abort(new Error(`there was no answer within ${outgoing.timeout_ms} ms`)),
  );
  const signal = outgoing.signal ? AbortSignal.any([outgoing.signal, ending.signal]) : ending.signal;
  try {
    return await exchange(outgoing, await lookupFor(outgoing.url, guard), signal);
  } catch (thrown) {
    // What ended it says more than how the connection broke.
    throw signal.aborted ? asError(signal.reason) : thrown;
  } finally {
    timer.cancel();
  }
}

/** A look-up that answers with the addresses that the guard let pass. */
async function lookupFor(text: string, guard: GuardOptions): Promise<LookupFunction> {
  const url = URL.parse(text);
  if (!url || !["http:", "https:"].includes(url.protocol) || url.username !== "" || url.password !== "")
    throw matrixError("M_INVALID_PARAM", "The address is no http or https URL without a user name.");
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = Number(url.port) || (url.protocol === "https:" ? 443 : 80);
  const { addresses } = await placeFor({ host, port }, guard);
  const found = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
  return (_host, options, done) => {
    const [first] = found;
    if (options.all) done(null, found);
    else done(null, first?.address ?? "", first?.family);
  };
}

function exchange(outgoing: Outgoing, lookup: LookupFunction, signal: AbortSignal): Promise<Incoming> {
  const { method, url, headers = {}, body, answer_bytes } = outgoing;
  const isSecure = url.startsWith("https:");
  const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
  const options: RequestOptions = {
    method,
    headers: { "user-agent": "Parley", ...headers, ...length },
    lookup,
    signal,
    agent: isSecure ? agents.secure : agents.plain,
  };
  return new Promise((resolve, reject) => {
    let isAnswered = false;
    const request = (isSecure ? requestSecurely : requestPlainly)(url, options, (answer) => {
      isAnswered = true;
      readAll(answer, answer_bytes).then(
        (read) => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: read }),
        reject,
      );
    });
    request.on("error", reject);
    // An answer that changes to another protocol is none, and no error either.
    request.on("close", () => isAnswered || reject(new Error("the connection ended without an answer")));
    request.end(body);
  });
}

async function readAll(answer: IncomingMessage, most_bytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > most_bytes) throw new Error(`the answer is longer than ${most_bytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}
