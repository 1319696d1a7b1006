/**
 * The one place that knows the HTTP framework. A domain describes its routes as data; here they are mounted, and every
 * request is authenticated, limited and validated before its handler runs. Specification: client-server-api, "API standards".
 */
import { Readable } from "node:stream";
import type { IncomingMessage } from "node:http";
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { z } from "zod";
import type { Context } from "./context.ts";
import { corsFor } from "./cors.ts";
import { asError, InteractiveAuthentication, isOfNul, matrixError, MatrixError } from "./errors.ts";
import { type Exchange, exchangeOf } from "./exchange.ts";
import { limits, type Rate } from "./limits.ts";
import type { Point } from "./log/token.ts";
import type { Logger } from "./logger.ts";
import { refuseGarbled } from "./garbled.ts";
import type { Front } from "./proxy/front.ts";
import { requestIds } from "./request-ids.ts";
import { placeOf } from "./roles.ts";
import { refuseInMaintenance } from "./system/maintenance.ts";
import { readJson, readQuery, textOf } from "./validate.ts";
import { watchConnections } from "./http-end.ts";
import { type RequestTraces, traceRequests } from "./tracing/requests.ts";
import type { TraceIds } from "./tracing/tracing.ts";
import { type Authenticate, authenticatesAt, isUnlimited } from "./who-asks.ts";
import { routeUpgrades, takeUpgrade, type Upgrade, upgradesAt } from "./upgrades.ts";

/** Who makes a request: one signed-in device. */
export interface Session {
  id: number;
  userId: string;
  deviceId: string;
  isAdmin: boolean;
  /** The point of the log at which the session stood as it stands here: what entries up to it say of it is over. */
  asOf: Point;
  /** Of a bot's token, what it may do. */
  scopes?: readonly string[] | undefined;
  /** Of a request that an application service makes as one of its users. Its `deviceId` is empty where the service names none. */
  service?: { id: string; isUnlimited: boolean };
  /** What operators have done to the account: see auth/moderation.ts. */
  isLocked?: boolean | undefined;
  isSuspended?: boolean | undefined;
  /** Of a guest: see auth/guests.ts. */
  isGuest?: boolean | undefined;
}

export interface Request<Body = unknown, Query = unknown, Who = Session> {
  params: Record<string, string>;
  query: Query;
  body: Body;
  session: Who;
  /** The address of the other end, for limits and for the list of devices. */
  address: string;
  headers: IncomingMessage["headers"];
  /** The path as it was asked for, without its query: what a transaction id is scoped to. */
  path: string;
  /** Aborts when the other end goes away. */
  signal(): AbortSignal;
  /** Takes the connection over from HTTP; undefined where the client asked for no other protocol. Of routes that `upgrade`. */
  takeOver(): Upgrade | undefined;
  /** Hands the exchange to a handler of Node's own, which answers it. Of routes with the body `stream`, or none. */
  handOver(): Exchange;
  log: Logger;
}

/** `service`: application services only. `anyone or session`: who sends a token has to have a good one. */
type Access = "anyone" | "anyone or session" | "session" | "admin" | "service";
type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
type WhoFor<A extends Access> = A extends "anyone"
  ? undefined
  : A extends "anyone or session"
    ? Session | undefined
    : Session;

export interface RouteOptions<B extends z.ZodType, Q extends z.ZodType, A extends Access> {
  method: Method;
  /** As in the specification, with `:name` for its parameters. */
  path: string;
  /** Older or unstable paths that clients still use for the same thing. */
  alsoAt?: readonly string[];
  access: A;
  rate?: Rate;
  /** The shape of the JSON body. `stream` hands over the body unread. */
  body?: B | "stream";
  query?: Q;
  bodyLimit_bytes?: number;
  /** Whether a client may ask for another protocol here. */
  upgrade?: boolean;
  handle(
    request: Request<B extends z.ZodType ? z.output<B> : undefined, z.output<Q>, WhoFor<A>>,
    ctx: Context,
  ): Promise<Answer | object> | Answer | object;
}

/** A route whose types are forgotten: what a domain exports and the router mounts. */
export interface Route {
  method: Method;
  path: string;
  alsoAt?: readonly string[];
  access: Access;
  rate?: Rate;
  body?: z.ZodType | "stream";
  query?: z.ZodType;
  bodyLimit_bytes?: number;
  upgrade?: boolean;
  handle(request: Request<never, never, never>, ctx: Context): Promise<Answer | object> | Answer | object;
}

/** Describes a route, with its handler typed by its schemas. */
export function route<
  const A extends Access,
  B extends z.ZodType = z.ZodUndefined,
  Q extends z.ZodType = z.ZodType<Record<string, string>>,
>(options: RouteOptions<B, Q, A>): Route {
  return options;
}

/** An answer that is more than a JSON object with status 200. */
export class Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  /** A string that is JSON already, bytes, or a stream. */
  readonly payload: string | Buffer | Readable;

  constructor(options: { status?: number; headers?: Record<string, string>; payload: string | Buffer | Readable }) {
    this.status = options.status ?? 200;
    this.headers = options.headers ?? {};
    this.payload = options.payload;
  }
}

/** An answer whose JSON is encoded already. */
export function encoded(json: string): Answer {
  return new Answer({ payload: json });
}

const JSON_TYPE = "application/json";
/** Payloads are texts already. With a serializer of its own a reply keeps its content type: JSON has no charset (RFC 8259). */
const asItIs = (payload: unknown) => payload as string;
const METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH"];

/** Builds the server with its routes, and what goes to other roles through `front`; it listens when its caller says so. */
export function createHttp(ctx: Context, all: readonly Route[], front: Front): FastifyInstance {
  const cors = corsFor(ctx.config.corsOrigins);
  const app = Fastify({
    routerOptions: { maxParamLength: 1_024, ignoreTrailingSlash: true, ignoreDuplicateSlashes: false },
    bodyLimit: limits.body_bytes,
    // Whose X-Forwarded-For is believed: anybody can send one.
    trustProxy: ctx.config.trustedProxies.length > 0 ? [...ctx.config.trustedProxies] : false,
    genReqId: requestIds(ctx),
    forceCloseConnections: "idle",
    // What comes on an open connection while the server stops is answered like the rest; the connection ends with it.
    return503OnClosing: false,
    // A connection that is silent for longer than any answer takes is dead.
    connectionTimeout: limits.connectionIdle_ms,
    logger: false,
    // Addresses that no route is asked for, such as /%zz.
    frameworkErrors: (error, request, reply) => {
      void reply.serializer(asItIs).headers(cors(request.url, request.headers.origin));
      void answerError(ctx, { error, request, reply });
    },
    clientErrorHandler: refuseGarbled,
    http: { shouldUpgradeCallback: upgradesAt(all.filter((each) => each.upgrade).flatMap(pathsOf)) },
  });
  const traces = traceRequests(ctx);
  watchConnections(app.server);
  routeUpgrades(app.server, (request, response) => app.routing(request, response));
  app.addHook("onRequest", (request, reply, done) => {
    void reply.serializer(asItIs).headers(cors(request.url, request.headers.origin));
    void reply.header("server", "Parley").header("x-request-id", request.id);
    if (ctx.draining()) void reply.header("connection", "close");
    if (request.method === "OPTIONS") return void reply.code(204).send();
    traces?.begin(request.raw, routeOf(request));
    if (!front.isElsewhere(pathOf(request))) return done();
    const fronted = { incoming: request.raw, outgoing: reply.raw, id: request.id, take: () => void reply.hijack() };
    const forward = () => front.forward(fronted);
    (traces ? traces.run(request.raw, forward) : forward()).catch(done);
  });
  app.addHook("onResponse", (request, reply, done) => {
    observe(ctx, { request, reply, ids: traces?.ids(request.raw) });
    traces?.end(request.raw, reply.statusCode);
    done();
  });
  app.setErrorHandler((error, request, reply) => answerError(ctx, { error, request, reply }));
  app.setNotFoundHandler((request) => {
    throw matrixError("M_UNRECOGNIZED", `There is nothing at ${request.method} ${pathOf(request)}.`);
  });
  void app.register((scope, _options, done) => {
    readBodiesWhole(scope);
    for (const each of all) if (each.body !== "stream") mount(scope, { ctx, traces }, each);
    done();
  });
  void app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", (_request, payload, parsed) => parsed(null, payload));
    for (const each of all) if (each.body === "stream") mount(scope, { ctx, traces }, each);
    done();
  });
  refuseOtherMethods(app, all);
  return app;
}

/** Clients send JSON under any content type or none, so the type is not looked at. */
function readBodiesWhole(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser("*", { parseAs: "buffer" }, (_request, bytes, parsed) => parsed(null, bytes));
}

/** Every path at which a route is mounted. */
export function pathsOf(each: Route): string[] {
  const older = each.path.startsWith("/_matrix/client/v3/") ? [each.path.replace("/v3/", "/r0/")] : [];
  return [each.path, ...(each.alsoAt ?? []), ...older];
}

interface Mounting {
  ctx: Context;
  traces: RequestTraces | undefined;
}

function mount(scope: FastifyInstance, { ctx, traces }: Mounting, each: Route): void {
  const authenticate = authenticatesAt(ctx, each);
  const plain = (request: FastifyRequest, reply: FastifyReply) => serve(ctx, each, { request, reply, authenticate });
  const handler: typeof plain = traces
    ? (request, reply) => traces.run(request.raw, () => plain(request, reply))
    : plain;
  for (const url of new Set(pathsOf(each)))
    scope.route({
      method: each.method,
      url,
      handler,
      ...(each.bodyLimit_bytes ? { bodyLimit: each.bodyLimit_bytes } : {}),
    });
}

/** A path that exists answers 405 to a method that it does not have. Specification: "Common error codes", M_UNRECOGNIZED. */
function refuseOtherMethods(app: FastifyInstance, all: readonly Route[]): void {
  const methods = new Map<string, Set<string>>();
  for (const each of all)
    for (const path of pathsOf(each)) {
      // Two patterns that differ in the names of their parameters alone are one path.
      const shape = path.replace(/:[^/]+/g, ":_");
      if (!methods.has(shape)) methods.set(shape, new Set());
      methods.get(shape)?.add(each.method);
    }
  void app.register((scope, _options, done) => {
    readBodiesWhole(scope);
    for (const [url, has] of methods) {
      const method = METHODS.filter((each) => !has.has(each));
      if (method.length > 0 && !url.includes("*"))
        scope.route({
          method,
          url,
          handler: (request) => {
            throw matrixError("M_UNRECOGNIZED", `${pathOf(request)} has no ${request.method}.`, { status: 405 });
          },
        });
    }
    done();
  });
}

interface Serving {
  request: FastifyRequest;
  reply: FastifyReply;
  authenticate: Authenticate;
}

async function serve(ctx: Context, each: Route, { request, reply, authenticate }: Serving) {
  // PostgreSQL's texts can not hold NUL, and no identifier has one.
  if (request.url.includes("%00")) throw matrixError("M_INVALID_PARAM", "The address holds the character NUL.");
  refuseInMaintenance(ctx, each.method, each.path);
  const session = await authenticate(request);
  if (each.rate && !isUnlimited(ctx, session, request)) await ctx.rates.admit(each.rate, session?.id ?? request.ip);
  const log = ctx.logger;
  let closed: AbortSignal | undefined;
  const answer = await each.handle(
    {
      params: request.params as Record<string, string>,
      query: readQuery(each, request.query as object) as never,
      body: readBody(each, request) as never,
      session: session as never,
      address: request.ip,
      headers: request.headers,
      path: pathOf(request),
      signal: () => (closed ??= closeSignal(request, reply)),
      takeOver() {
        const upgrade = takeUpgrade(request.raw, reply.raw);
        if (upgrade) reply.hijack();
        return upgrade;
      },
      handOver() {
        reply.hijack();
        return exchangeOf(request.raw, reply.raw, reply.getHeaders());
      },
      log,
    },
    ctx,
  );
  if (reply.sent) return reply;
  if (!(answer instanceof Answer)) return reply.header("content-type", JSON_TYPE).send(JSON.stringify(answer));
  if (!answer.headers["content-type"]) void reply.header("content-type", JSON_TYPE);
  return reply.code(answer.status).headers(answer.headers).send(answer.payload);
}

function pathOf(request: FastifyRequest): string {
  const end = request.url.indexOf("?");
  return end === -1 ? request.url : request.url.slice(0, end);
}

/** A pattern, never the path itself: of what is handed on, and of what there is not, the line of the table of roles. */
function routeOf(request: FastifyRequest): string {
  return request.routeOptions.url ?? placeOf(pathOf(request))?.pattern ?? "unknown";
}

function readBody(each: Route, request: FastifyRequest): unknown {
  if (each.body === undefined) return undefined;
  if (each.body === "stream") return request.body ?? Readable.from([]);
  let json: unknown;
  try {
    const text = textOf(request.body as Buffer | undefined);
    json = text ? JSON.parse(text) : {};
  } catch (thrown) {
    throw matrixError("M_NOT_JSON", `The body is not JSON: ${asError(thrown).message}`);
  }
  return readJson(each.path, each.body, json);
}

function closeSignal(request: FastifyRequest, reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  if (request.raw.socket.destroyed) controller.abort(new Error("the connection is closed"));
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) controller.abort(new Error("the connection was closed"));
  });
  return controller.signal;
}

function answerError(
  ctx: Context,
  { error, request, reply }: { error: unknown; request: FastifyRequest; reply: FastifyReply },
) {
  void reply.header("content-type", JSON_TYPE);
  if (error instanceof InteractiveAuthentication) return reply.code(401).send(JSON.stringify(error.body));
  const known = error instanceof MatrixError ? error : frameworkError(error);
  if (known) {
    if (known.retryAfter_ms !== undefined)
      void reply.header("retry-after", String(Math.ceil(known.retryAfter_ms / 1_000)));
    if (known.cause !== undefined) ctx.logger.warn({ err: asError(known.cause), request: request.id }, known.message);
    return reply.code(known.status).send(JSON.stringify(known.body()));
  }
  // Nobody is there any more: what was broken off on that account is no failure.
  if (request.raw.socket.destroyed) return reply.code(499).send("");
  ctx.logger.error({ err: asError(error), request: request.id, route: request.routeOptions.url }, "a request failed");
  const body = {
    errcode: "M_UNKNOWN",
    error: `Something went wrong here. The server's log has it under ${request.id}.`,
  };
  return reply.code(500).send(JSON.stringify(body));
}

/** What the framework or the database refuses, in Matrix's words. */
function frameworkError(error: unknown): MatrixError | undefined {
  const { code, statusCode, message } = error as { code?: string; statusCode?: number; message?: string };
  if (code === "FST_ERR_CTP_BODY_TOO_LARGE")
    return matrixError("M_TOO_LARGE", "The body is larger than the server takes.");
  if (isOfNul(error))
    return matrixError("M_BAD_JSON", "A text of the request has the character U+0000, which can not be kept.");
  if (code?.startsWith("FST_") && statusCode && statusCode < 500)
    return matrixError("M_UNKNOWN", message ?? "The request is not valid.", { status: statusCode });
  return undefined;
}

interface Observed {
  request: FastifyRequest;
  reply: FastifyReply;
  /** Of its trace: here nothing runs as part of it any more. */
  ids: TraceIds | undefined;
}

function observe(ctx: Context, { request, reply, ids }: Observed): void {
  const route = routeOf(request);
  ctx.metrics.http.observe({ method: request.method, route, status: reply.statusCode }, reply.elapsedTime / 1_000);
  if (ctx.logger.isLevelEnabled("info"))
    ctx.logger.info({
      request: request.id,
      method: request.method,
      route,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
      ...ids,
    });
}
