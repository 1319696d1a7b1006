/**
 * One Parley process: opens the parts in their order, mounts the domains of its roles, and closes everything in the reverse
 * order. The tests and the command line start the same thing.
 */
import { hostname } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openServices } from "./appservice/services.ts";
import { openSigningKeys } from "./auth/oauth/signing-keys.ts";
import { openSessions } from "./auth/sessions.ts";
import type { Bus } from "./bus/bus.ts";
import { type Installation, readInstallation } from "./bus/installation.ts";
import { type KeyRing, openKeyRing } from "./bus/key-ring.ts";
import { openBus } from "./bus/open.ts";
import { joinProcesses, type Processes } from "./bus/processes.ts";
import type { Config } from "./config.ts";
import type { Context } from "./context.ts";
import { openDatabase } from "./db/database.ts";
import { defaultDataDir, startEmbeddedPostgres } from "./db/embedded.ts";
import { userIn } from "./db/hosts.ts";
import { migrate } from "./db/migrate.ts";
import { openReplicas, type Replicas } from "./db/replicas.ts";
import { schemasOf } from "./db/roles.ts";
import { waitForSchema } from "./db/schema.ts";
import { openEphemeral } from "./ephemeral/open.ts";
import { asError, StartError } from "./errors.ts";
import { healthRoutes } from "./health.ts";
import { createHttp, type Route } from "./http.ts";
import { closeHttp } from "./http-end.ts";
import { limits } from "./limits.ts";
import { startSampling } from "./insight/sampler.ts";
import { followHints, openHints } from "./log/hints.ts";
import { type Log, openLog } from "./log/open.ts";
import { claimServerName } from "./log/server-name.ts";
import type { Logger } from "./logger.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { createMetricsServer } from "./metrics-server.ts";
import { type Front, openFront } from "./proxy/front.ts";
import { openUpstreams } from "./proxy/upstreams.ts";
import { openQueue } from "./queue/open.ts";
import { createRates } from "./rates.ts";
import { type Domain, serves } from "./roles.ts";
import { openRoomCache } from "./rooms/cache.ts";
import { pause, realSeams, type Seams } from "./seams.ts";
import { openMasterKeys } from "./secrets/master-keys.ts";
import { learnSecrets } from "./secrets/values.ts";
import { sharedSettings } from "./shared-settings.ts";
import { openControls } from "./system/controls.ts";
import { openObservers } from "./tracing/tracing.ts";
import { version } from "./version.ts";

/** What a domain's routes.ts exports. */
interface DomainModule {
  routes: readonly Route[];
  /** Starts what the domain does in the background; gives the function that ends it. */
  start?(ctx: Context): Promise<() => Promise<void>>;
}

/** Imported only where the process has the role: a media process loads no code of the others. */
export const domains: Record<Domain, () => Promise<DomainModule>> = {
  auth: () => import("./auth/routes.ts"),
  scim: () => import("./scim/routes.ts"),
  account: () => import("./account/routes.ts"),
  keys: () => import("./keys/routes.ts"),
  rooms: () => import("./rooms/routes.ts"),
  messages: () => import("./messages/routes.ts"),
  directory: () => import("./directory/routes.ts"),
  search: () => import("./search/routes.ts"),
  push: () => import("./push/routes.ts"),
  appservice: () => import("./appservice/routes.ts"),
  sync: () => import("./sync/routes.ts"),
  gateway: () => import("./gateway/routes.ts"),
  presence: () => import("./presence/routes.ts"),
  media: () => import("./media/routes.ts"),
  worker: () => import("./worker/routes.ts"),
  web: () => import("./web/routes.ts"),
  console: () => import("./console/routes.ts"),
  billing: () => import("./billing/routes.ts"),
};

export interface RunningServer {
  ctx: Context;
  /** Where it listens, such as http://127.0.0.1:8008. */
  url: string;
  metricsUrl: string | undefined;
  /**
   * Says that it is not ready, serves on for `drain_ms` of the settings, then answers whoever waits, finishes what is in flight
   * and closes everything. Calling it twice is calling it once.
   */
  stop(): Promise<void>;
}

export interface StartOptions {
  seams?: Seams;
  /** Told of each slow step. */
  onProgress?(text: string): void;
  /** Other migrations than those of this version, for tests of what the next version will do. */
  migrations?: URL;
  /** Calls a start off that waits for the schema. */
  signal?: AbortSignal;
  /** What this process has told clients is not in the database that took over: it must end. See log/epochs.ts. */
  onForked?(): void;
  /** PostgreSQL settings of the embedded database, for tests. */
  postgresSettings?: Record<string, string>;
}

type Undo = () => unknown;

/** Starts a server. Throws StartError, with everything closed again, where something keeps it from starting. */
export async function startServer(config: Config, options: StartOptions = {}): Promise<RunningServer> {
  const undo: Undo[] = [];
  const stopping = new AbortController();
  let stopped: Promise<void> | undefined;
  const end = async (drain_ms: number) => {
    if (drain_ms > 0) await pause(options.seams ?? realSeams, drain_ms);
    stopping.abort(new Error("the server is stopping"));
    await close(undo);
  };
  const stop = (drain_ms = config.drain_ms) => (stopped ??= end(drain_ms));
  try {
    const draining = () => stopped !== undefined;
    const ctx = await openContext(config, options, { undo, stopping: stopping.signal, draining });
    undo.push(startSampling(ctx));
    const front = openFront({ ...ctx, roles: config.roles });
    const routes = [...healthRoutes, ...(await mountDomains(ctx, undo))];
    const app = createHttp(ctx, routes, takesSends(ctx) ? besidesSends(front) : front);
    undo.push(() => closeHttp(app, ctx.seams));
    const url = await listen(app, { host: config.host, port: config.port, setting: "PARLEY_PORT" });
    listenedUrl.set(ctx, url);
    const metricsUrl = config.metrics && (await startMetrics(ctx, config.metrics, undo));
    return { ctx, url, metricsUrl, stop: () => stop() };
  } catch (thrown) {
    await stop(0);
    throw thrown;
  }
}

const listenedUrl = new WeakMap<Context, string>();

async function openContext(
  config: Config,
  options: StartOptions,
  process: { undo: Undo[]; stopping: AbortSignal; draining(): boolean },
): Promise<Context> {
  const { undo, stopping, draining } = process;
  const ground = await openGround(config, options, undo);
  const { seams, logger, tracing, metrics, dataDir, databaseUrl, db, installation, keys, masterKeys } = ground;
  const opened: { log?: Log } = {};
  const position = () => opened.log?.hub.head();
  const bus = await openShared({ config, databaseUrl, installation, keys, seams, logger, metrics, position }, undo);
  tracing?.share(bus);
  const hints = openHints({ bus, epoch: () => log.epoch });
  const log = await openLog({
    db,
    seams,
    logger,
    metrics,
    tracing,
    follows: serves(config.roles, "sync") ? "everything" : "changes",
    announce: hints.announce,
    onForked: options.onForked,
  });
  opened.log = log;
  undo.push(() => log.close());
  const replicas = openHistory(config, ground, log);
  undo.push(() => replicas.close());
  followHints({ bus, hub: log.hub, epoch: () => log.epoch });
  const rooms = openRoomCache({ db: db.log, hub: log.hub, epoch: () => log.epoch });
  const signingKeys = openSigningKeys({ db: db.auth, seams, masterKeys, lifetime_ms: config.authSigningKey_ms });
  const sessions = openSessions({ db: db.auth, log: db.log, hub: log.hub, seams, signingKeys });
  undo.push(() => sessions.close());
  const ephemeral = await openEphemeral({ config, db: db.ephemeral, bus, seams, logger });
  undo.push(() => ephemeral.close());
  const controls = await openControls({ db: db.log, config, seams, logger });
  undo.push(() => controls.close());
  const services = await openServices(config, { seams, logger });
  undo.push(() => services.close());
  const rates = createRates({ seams, shared: ephemeral, isEnabled: config.rateLimits });
  undo.push(() => rates.close());
  const queue = await openQueue({ config, db: db.queue, bus, seams, logger, registry: metrics.registry });
  undo.push(() => queue?.close());
  const ctx: Context = {
    config,
    seams,
    logger,
    metrics,
    tracing,
    rates,
    services,
    controls,
    db,
    bus,
    ephemeral,
    log,
    replicas,
    rooms,
    queue,
    upstreams: ground.upstreams,
    draining,
    stopping,
    dataDir,
    databaseUrl,
    signingKeys,
    publicUrl: () => config.publicUrl ?? listenedUrl.get(ctx)?.replace("127.0.0.1", "localhost") ?? "",
    authenticate: sessions.authenticate,
    noteSeen: sessions.noteSeen,
  };
  return ctx;
}

type Ground = Awaited<ReturnType<typeof openGround>>;

/** Where history is read. */
function openHistory(config: Config, { db, seams, metrics, onError }: Ground, log: Log): Replicas {
  return openReplicas({
    urls: config.databaseReplicaUrls,
    connections: config.databaseConnections,
    primary: db.log,
    epoch: () => log.epoch,
    seams,
    onError,
    onRead: (from) => metrics.historyReads.inc({ from }),
  });
}

/** What everything else stands on: logs, traces and counts, the database, and where other processes are. */
async function openGround(config: Config, options: StartOptions, undo: Undo[]) {
  const seams = options.seams ?? realSeams;
  const { logger, tracing } = await openObservers(config, seams);
  undo.push(() => tracing?.close());
  undo.push(await learnSecrets(config, { seams, logger }));
  const metrics = createMetrics();
  const dataDir = config.dataDir ?? defaultDataDir(fileURLToPath(new URL("../../", import.meta.url)));
  const databaseUrl = config.databaseUrl ?? (await startDatabase(dataDir, options, undo));
  await openSchema(config, databaseUrl, options);
  // Its text alone: the driver hangs the whole connection on the error, with the values of the last statement.
  const onError = (error: Error) => logger.warn({ reason: error.message }, "a database connection was lost");
  const db = openDatabase({ url: databaseUrl, connections: config.databaseConnections, onError, seams });
  undo.push(() => db.close());
  await claimServerName(db.log, config.serverName);
  const installation = await readInstallation(db.log);
  const masterKeys = await openMasterKeys({ config: config.secrets, seams, logger });
  undo.push(() => masterKeys?.close());
  const keys = await openKeyRing({ db: db.log, seams, logger, masterKeys });
  undo.push(() => keys.close());
  const upstreams = await openUpstreams({ roles: config.roles, urls: config.upstreams, seams, logger });
  undo.push(() => upstreams.close());
  return {
    seams,
    logger,
    tracing,
    metrics,
    dataDir,
    databaseUrl,
    db,
    installation,
    keys,
    masterKeys,
    onError,
    upstreams,
  };
}

/** Brings the database to the schema of this version, or waits until somebody else has. */
async function openSchema(config: Config, url: string, options: StartOptions): Promise<void> {
  const { onProgress = () => {}, migrations: folder, seams = realSeams, signal } = options;
  if (config.migrate === "wait")
    return waitForSchema({ url, seams, timeout_ms: limits.schemaWait_ms, onProgress, folder, signal });
  const { databaseOwnerUrl: owner } = config;
  await migrate(owner ?? url, { onProgress, folder, servingUser: owner && userIn(url) });
}

interface Shared {
  config: Config;
  databaseUrl: string;
  installation: Installation;
  keys: KeyRing;
  seams: Seams;
  logger: Logger;
  metrics: Metrics;
  /** Up to where this process has the log. */
  position(): number | undefined;
}

/** What makes this process one of several: its place among them, and the bus. */
async function openShared(shared: Shared, undo: Undo[]): Promise<Bus> {
  const { config, databaseUrl: url, seams, logger, position } = shared;
  const alone = aloneBy(config);
  const { roles, bus: busName } = config;
  // The pools, this process's place among the others, and what listens.
  const connections = schemasOf(roles).length * config.databaseConnections + (busName === "postgresql" ? 2 : 1);
  const about = { host: hostname(), connections, shared: () => sharedSettings(config), position };
  const processes = await joinProcesses({ url, version, roles, bus: busName, alone, about, seams, logger });
  undo.push(() => processes.leave());
  const bus = await openBus({ ...shared, isProven: () => isProven(processes, busName) });
  undo.push(() => bus.close());
  return bus;
}

/** Whether others run with this bus at the same address: then it is away for all, and none of them should stay away with it. */
async function isProven(processes: Processes, bus: Config["bus"]): Promise<boolean> {
  const address = bus === "postgresql" ? "PARLEY_BUS" : `${bus.toUpperCase()}_URL`;
  return (await processes.isShared("PARLEY_BUS")) && (await processes.isShared(address));
}

/** The setting that makes this process one that others do not hear. */
function aloneBy({ bus, ephemeral, sessionStorage, roles, explorer: { credentials } }: Config): string | undefined {
  if (bus === "memory") return "PARLEY_BUS=memory";
  if (credentials.type === "json_file" && !credentials.isShared) return "CREDENTIAL_STORAGE_TYPE=json_file";
  if (sessionStorage === "memory" && roles.includes("web")) return "SESSION_STORAGE_TYPE=memory";
  return ephemeral === "memory" ? "PARLEY_EPHEMERAL=memory" : undefined;
}

async function startDatabase(dataDir: string, options: StartOptions, undo: Undo[]): Promise<string> {
  const postgres = await startEmbeddedPostgres({
    dataDir: join(dataDir, "postgres"),
    onProgress: options.onProgress ?? (() => {}),
    ...(options.postgresSettings ? { settings: options.postgresSettings } : {}),
  });
  undo.push(() => postgres.stop());
  return postgres.url;
}

async function mountDomains(ctx: Context, undo: Undo[]): Promise<Route[]> {
  const wanted = (Object.keys(domains) as Domain[]).filter((domain) => serves(ctx.config.roles, domain));
  const modules = await Promise.all(wanted.map((domain) => domains[domain]()));
  for (const { start } of modules) if (start) undo.push(await start(ctx));
  // Which processes do it is a matter of its settings: web, worker, or both.
  const { billing } = ctx.config;
  if (billing) undo.push(await (await import("./billing/worker.ts")).startBilling(ctx, billing));
  const routes = modules.flatMap(({ routes }) => routes);
  return takesSends(ctx) ? [...routes, (await import("./messages/send.ts")).send] : routes;
}

/** With a queue a gateway takes sends itself, and the workers of the role messages append them. */
function takesSends({ queue, config: { roles: own } }: Context): boolean {
  return queue !== undefined && own.includes("gateway") && !own.includes("messages");
}

function besidesSends(front: Front): Front {
  const isSend = (path: string) => /^\/_matrix\/client\/(v3|r0)\/rooms\/[^/]+\/send\//.test(path);
  return { ...front, isElsewhere: (path) => !isSend(path) && front.isElsewhere(path) };
}

async function startMetrics(
  ctx: Context,
  { host, port }: { host: string; port: number },
  undo: Undo[],
): Promise<string> {
  const server = createMetricsServer(ctx);
  undo.push(() => server.close());
  return listen(server, { host, port, setting: "PARLEY_METRICS_PORT" });
}

interface Listener {
  listen(options: { host: string; port: number; backlog: number }): Promise<string>;
}

async function listen(
  app: Listener,
  { host, port, setting }: { host: string; port: number; setting: string },
): Promise<string> {
  try {
    return await app.listen({ host, port, backlog: limits.httpBacklog_connections });
  } catch (thrown) {
    const { code } = thrown as { code?: string };
    const why =
      code === "EADDRINUSE" ? "is taken by another program" : `can not be opened (${asError(thrown).message})`;
    throw new StartError(`Port ${port} on ${host} ${why}. Stop what uses it, or set ${setting} to another port.`, {
      cause: thrown,
    });
  }
}

/** Closes what was opened, the newest first; a part that fails to close does not keep the others open. */
async function close(undo: Undo[]): Promise<void> {
  const errors: unknown[] = [];
  for (const each of undo.toReversed()) {
    try {
      await each();
    } catch (thrown) {
      errors.push(thrown);
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, "some parts of the server did not close");
}
