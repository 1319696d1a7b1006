/** What every handler gets: the parts of this process, made once at start. */
import type { Services } from "./appservice/services.ts";
import type { SigningKeys } from "./auth/oauth/signing-keys.ts";
import type { Bus } from "./bus/bus.ts";
import type { Config } from "./config.ts";
import type { Database } from "./db/database.ts";
import type { Replicas } from "./db/replicas.ts";
import type { Ephemeral } from "./ephemeral/ephemeral.ts";
import type { Session } from "./http.ts";
import type { Log } from "./log/open.ts";
import type { Logger } from "./logger.ts";
import type { Metrics } from "./metrics.ts";
import type { Upstreams } from "./proxy/upstreams.ts";
import type { Queue } from "./queue/queue.ts";
import type { Rates } from "./rates.ts";
import type { RoomCache } from "./rooms/cache.ts";
import type { Seams } from "./seams.ts";
import type { Controls } from "./system/controls.ts";
import type { Tracing } from "./tracing/tracing.ts";

export interface Context {
  config: Config;
  seams: Seams;
  logger: Logger;
  metrics: Metrics;
  /** Where traces are asked for. */
  tracing: Tracing | undefined;
  rates: Rates;
  /** The application services that are registered here. */
  services: Services;
  /** What operators set while it runs. */
  controls: Controls;
  db: Database;
  bus: Bus;
  ephemeral: Ephemeral;
  log: Log;
  /** Where history is read. */
  replicas: Replicas;
  rooms: RoomCache;
  /** Where one is set: what hands work to the workers. */
  queue: Queue | undefined;
  /** The processes of other roles, as far as settings name them. */
  upstreams: Upstreams;
  /** Whether the process was told to stop. It serves on for a moment, so that requests find their way elsewhere. */
  draining(): boolean;
  /** Aborts when the process stops: whoever waits answers at once. */
  stopping: AbortSignal;
  /** Where the embedded database and the media are. */
  dataDir: string;
  /** Of Parley's own database, for the few who need a connection of their own. A secret. */
  databaseUrl: string;
  /** What signs access tokens of the OAuth 2.0 API. */
  signingKeys: SigningKeys;
  /** How clients reach this server, without a slash at its end. */
  publicUrl(): string;
  /**
   * Whose access token this is; the session counts as seen at `address`. Throws M_UNKNOWN_TOKEN. What the account may not do any
   * more is for the caller to ask (`goodStandingFor`).
   */
  authenticate(accessToken: string, address?: string): Promise<Session>;
  /** Notes that a session was seen at `address`, for what stays open without a request. */
  noteSeen(sessionId: number, address: string): void;
}
