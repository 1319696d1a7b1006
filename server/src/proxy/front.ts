/**
 * The gateway's proxy: one door in front of all roles. What this process does not serve itself goes, by the table of roles, to
 * the processes that its settings name; the answer is handed back as it comes.
 */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream";
import { asError, matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Logger } from "../logger.ts";
import type { Metrics } from "../metrics.ts";
import { placeOf, type RoleName, roleNames } from "../roles.ts";
import { pause, type Seams } from "../seams.ts";
import type { Tracing } from "../tracing/tracing.ts";
import { type Agents, type Asking, attempt, Unanswered } from "./attempt.ts";
import { isRepeatable } from "./repeatable.ts";
import type { Target, Targets } from "./targets.ts";
import type { Upstreams } from "./upstreams.ts";

/** A request that is to be answered elsewhere. */
export interface Fronted {
  incoming: IncomingMessage;
  outgoing: ServerResponse;
  /** The id under which the logs have it. */
  id: string;
  /** Called once the answer is there: from then on the response is the proxy's. */
  take(): void;
}

export interface Front {
  /** Whether the path belongs to a role that this process does not have. */
  isElsewhere(path: string): boolean;
  /** Hands the request on and the answer back. Throws M_UNRECOGNIZED where nobody is named for the path, M_UNKNOWN (502)
   *  where nobody answers, and IO_PARLEY_UNAVAILABLE beyond `limits.proxied_requests`. */
  forward(request: Fronted): Promise<void>;
}

export interface FrontOptions {
  roles: readonly RoleName[];
  upstreams: Upstreams;
  seams: Seams;
  logger: Logger;
  metrics: Metrics;
  tracing?: Tracing | undefined;
}

/** The way of clients to the other roles. */
export function openFront({ roles, upstreams, seams, logger, metrics, tracing }: FrontOptions): Front {
  const hasAll = roleNames.every((role) => roles.includes(role));
  // Another process may know where a role is for what it asks itself, and is no door to it for that.
  const isDoor = roles.includes("gateway");
  const { agents } = upstreams;
  let inFlight = 0;
  return {
    isElsewhere(path) {
      if (hasAll) return false;
      const place = placeOf(path);
      return place !== undefined && !roles.includes(place.role);
    },
    async forward(fronted) {
      const { role } = placeOf(pathOf(fronted.incoming)) ?? {};
      const targets = isDoor && role && upstreams.of(role);
      if (!targets) throw matrixError("M_UNRECOGNIZED", `This process does not serve ${pathOf(fronted.incoming)}.`);
      if (inFlight >= limits.proxied_requests)
        throw matrixError("IO_PARLEY_UNAVAILABLE", "Too many requests are on their way.", { retryAfter_ms: 1_000 });
      inFlight += 1;
      const outcome = await carry(fronted, { targets, agents, seams, logger, tracing }).finally(() => (inFlight -= 1));
      metrics.proxied.inc({ role, outcome });
    },
  };
}

interface Way {
  targets: Targets;
  agents: Agents;
  seams: Seams;
  logger: Logger;
  tracing: Tracing | undefined;
}

/** Asks one process after the other, as far as that is safe, and hands back the first answer. */
async function carry(fronted: Fronted, way: Way): Promise<"answered" | "repeated" | "abandoned"> {
  const asking = await prepare(fronted, way.tracing?.current());
  const tried = new Set<Target>();
  for (let attempts = 1; ; attempts++) {
    const target = way.targets.next(tried);
    if (!target) throw unanswered(new Error("its name has no address"));
    if (tried.has(target)) await pause(way.seams, limits.upstreamPause_ms);
    tried.add(target);
    try {
      const isWhole = await ask(target, asking, { fronted, way });
      return !isWhole ? "abandoned" : attempts === 1 ? "answered" : "repeated";
    } catch (thrown) {
      if (fronted.outgoing.destroyed) return "abandoned";
      if (!(thrown instanceof Unanswered)) throw thrown;
      way.targets.leaveOut(target);
      const maySee = thrown.isSent && !asking.isRepeatable;
      if (maySee || attempts >= limits.upstream_attempts) throw unanswered(thrown);
      way.logger.info({ request: fronted.id, upstream: target.name, reason: thrown.message }, "asked elsewhere");
    }
  }
}

function unanswered(cause: Error) {
  return matrixError("M_UNKNOWN", "The part of the server that does this did not answer. Try again in a moment.", {
    status: 502,
    cause,
  });
}

/** Resolves with whether the answer reached its end. */
async function ask(target: Target, asking: Asking, { fronted, way }: { fronted: Fronted; way: Way }): Promise<boolean> {
  const { outgoing } = fronted;
  const { answer, abort } = attempt(target, asking, way);
  outgoing.once("close", abort);
  const incoming = await answer.finally(() => outgoing.off("close", abort));
  // It is stopping: what comes next is for the others, until it says that it is ready.
  if (incoming.headers.connection === "close") way.targets.leaveOut(target);
  fronted.take();
  outgoing.writeHead(incoming.statusCode ?? 502, passable(incoming.headers));
  return new Promise((resolve) => {
    pipeline(incoming, outgoing, (error) => resolve(!error));
  });
}

/** What concerns one connection and not the message. RFC 9110, 7.6.1. */
const OF_THE_CONNECTION = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "expect",
]);
const OF_THE_TRACE = new Set(["traceparent", "tracestate"]);

function passable(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const named = (headers.connection ?? "").toLowerCase().split(/\s*,\s*/);
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !OF_THE_CONNECTION.has(name) && !named.includes(name)),
  );
}

/** The request as it goes on. Small bodies of requests that can be repeated are read first. */
async function prepare({ incoming, id }: Fronted, traceparent: string | undefined): Promise<Asking> {
  const { method = "GET", url: path = "/" } = incoming;
  const length_bytes = Number(incoming.headers["content-length"] ?? 0);
  const hasBody = length_bytes > 0 || incoming.headers["transfer-encoding"] !== undefined;
  const isSmall = incoming.headers["transfer-encoding"] === undefined && length_bytes <= limits.body_bytes;
  const canRepeat = isSmall && isRepeatable(method, pathOf(incoming));
  const peer = incoming.socket.remoteAddress ?? "";
  const before = incoming.headers["x-forwarded-for"];
  const headers: IncomingHttpHeaders = {
    ...Object.fromEntries(Object.entries(passable(incoming.headers)).filter(([name]) => !OF_THE_TRACE.has(name))),
    ...(hasBody && !isSmall && !length_bytes ? { "transfer-encoding": "chunked" } : {}),
    "x-forwarded-for": before === undefined ? peer : `${String(before)}, ${peer}`,
    "x-request-id": id,
    // The processes behind believe this one, so a client's own word must not reach them.
    ...(traceparent === undefined ? {} : { traceparent }),
  };
  const body = !hasBody ? Buffer.alloc(0) : canRepeat ? await readAll(incoming) : incoming;
  return { method, path, headers, body, isRepeatable: canRepeat };
}

async function readAll(incoming: IncomingMessage): Promise<Buffer> {
  try {
    return Buffer.concat((await incoming.toArray()) as Buffer[]);
  } catch (thrown) {
    throw matrixError("M_UNKNOWN", "The request ended before its body did.", { status: 400, cause: asError(thrown) });
  }
}

function pathOf({ url = "/" }: IncomingMessage): string {
  const end = url.indexOf("?");
  return end === -1 ? url : url.slice(0, end);
}
