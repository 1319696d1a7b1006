/**
 * Requests to application services. Specification: application-service-api, "Homeserver -> Application Service API". Their addresses
 * are an operator's own, so they may be of this machine or a private network; where one answers with another address, that is not
 * followed. Paths of before there were versions are tried where a service does not know the newer one.
 */
import type { Context } from "../context.ts";
import { asError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Service } from "./service.ts";

export interface Question {
  method: "GET" | "PUT" | "POST";
  /** Behind /_matrix/app/v1, such as `/users/%40_irc_ana%3Aexample.org`. */
  path: string;
  query?: URLSearchParams;
  /** JSON. */
  body?: string;
  timeout_ms: number;
  signal?: AbortSignal | undefined;
  /** What stands in place of /_matrix/app/v1 for services of before there were versions; undefined where there was none. */
  legacy?: "" | "/_matrix/app/unstable" | undefined;
}

export interface Reply {
  status: number;
  text: string;
}

/** No answer came. */
export class Unreached extends Error {
  readonly isTimeout: boolean;

  constructor(message: string, isTimeout: boolean) {
    super(message);
    this.name = "Unreached";
    this.isTimeout = isTimeout;
  }
}

/** By the service's address: until when it is asked at the older paths, on the monotonic clock. */
const olderUntil = new Map<string, number>();

/** Asks, and gives whatever is answered. Throws Unreached. */
export async function askService(ctx: Pick<Context, "seams">, service: Service, question: Question): Promise<Reply> {
  const { url = "" } = service;
  const { legacy } = question;
  const now_ms = ctx.seams.monotonic_ms();
  const isOlder = legacy !== undefined && (olderUntil.get(url) ?? 0) > now_ms;
  if (!isOlder) {
    const reply = await send(ctx, service, { ...question, path: `/_matrix/app/v1${question.path}` });
    if (legacy === undefined || !isUnknownPath(reply)) return reply;
  }
  // Services that know these paths alone may look for the token in the query only.
  const query = new URLSearchParams(question.query);
  query.set("access_token", service.hsToken);
  const reply = await send(ctx, service, { ...question, path: `${legacy}${question.path}`, query });
  if (reply.status < 300)
    olderUntil.set(url, isOlder ? (olderUntil.get(url) as number) : now_ms + limits.serviceLegacy_ms);
  else olderUntil.delete(url);
  return reply;
}

/** A service that knows the path answers 404 too, when it has no such user: then it says so in its own words. */
function isUnknownPath({ status, text }: Reply): boolean {
  if (status === 405 || status === 501) return true;
  return status === 404 && (!text.includes('"errcode"') || text.includes('"M_UNRECOGNIZED"'));
}

async function send({ seams }: Pick<Context, "seams">, service: Service, question: Question): Promise<Reply> {
  const { method, path, query, body, timeout_ms, signal } = question;
  const deadline = new AbortController();
  const timer = seams.after(timeout_ms, () => deadline.abort(new Error("no answer in time")));
  const search = query && query.size > 0 ? `?${query.toString()}` : "";
  try {
    const answer = await fetch(`${service.url}${path}${search}`, {
      method,
      redirect: "manual",
      headers: {
        authorization: `Bearer ${service.hsToken}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      signal: signal ? AbortSignal.any([signal, deadline.signal]) : deadline.signal,
      ...(body === undefined ? {} : { body }),
    });
    return { status: answer.status, text: await readText(answer) };
  } catch (thrown) {
    if (deadline.signal.aborted) throw new Unreached(`it did not answer within ${timeout_ms / 1_000} s`, true);
    const { cause, message } = asError(thrown) as Error & { cause?: { code?: string; message?: string } };
    throw new Unreached(`it can not be reached (${cause?.code ?? cause?.message ?? message})`, false);
  } finally {
    timer.cancel();
  }
}

/** What is too long is cut off: nothing that long is an answer to any question. */
async function readText(answer: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > limits.serviceAnswer_bytes) break;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
