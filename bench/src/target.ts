import { connect, exchange } from "./http.ts";
import type { Options } from "./options.ts";
import { startParley } from "./parley.ts";
import { findPostgres, type Watched } from "./probe.ts";
import { findListener, programVersion } from "./processes.ts";

/** The server that is measured. Disposing of it ends what we started and nothing else. */
export interface Target extends AsyncDisposable {
  origin: string;
  /** Name and version, as far as the server tells them. */
  name: string;
  /** What it announces beside the specification. */
  features: ReadonlySet<string>;
  watched: Watched;
  /** Whether the harness has started it. */
  isOwn: boolean;
  /** PostgreSQL's version, when its process is in sight. */
  postgres?: string;
}

/** Connects to `--target`, or starts Parley. Rejects with a sentence when there is no working Matrix server. */
export async function openTarget(options: Options): Promise<Target> {
  if (options.target !== undefined) {
    const serverPids = options.serverPids.length > 0 ? options.serverPids : localServer(options.target);
    const postgresPids =
      options.postgresPids.length > 0 || serverPids.length === 0 ? options.postgresPids : findPostgres(serverPids);
    return describe(options.target, { serverPids, postgresPids });
  }
  const parley = await startParley();
  try {
    const target = await describe(parley.origin, parley.watched);
    return { ...target, isOwn: true, [Symbol.asyncDispose]: () => parley[Symbol.asyncDispose]() };
  } catch (error) {
    await parley[Symbol.asyncDispose]();
    throw error;
  }
}

function localServer(origin: string): number[] {
  const { hostname, port, protocol } = new URL(origin);
  if (!["localhost", "127.0.0.1", "[::1]"].includes(hostname)) return [];
  const pid = findListener(Number(port || (protocol === "https:" ? 443 : 80)));
  return pid === undefined ? [] : [pid];
}

async function describe(origin: string, watched: Watched): Promise<Target> {
  const { name, features } = await askWho(origin);
  const [postgresPid] = watched.postgresPids;
  const postgres = postgresPid === undefined ? undefined : programVersion(postgresPid);
  return {
    origin,
    name,
    features,
    watched,
    isOwn: false,
    ...(postgres !== undefined && { postgres }),
    async [Symbol.asyncDispose]() {},
  };
}

/**
 * `/versions` must answer, since it is what makes it a Matrix server. Who it is stands there in
 * `server` (on some), in the federation API's version, or in the `Server` header.
 */
async function askWho(origin: string): Promise<Pick<Target, "name" | "features">> {
  const connection = connect(origin);
  try {
    const versions = await exchange(connection, { method: "GET", path: "/_matrix/client/versions" });
    if (versions.status !== 200) throw new Error(`/_matrix/client/versions answered ${versions.status}`);
    const federation = await exchange(connection, { method: "GET", path: "/_matrix/federation/v1/version" });
    const header = versions.headers["server"];
    const told = serverField(versions.body) ?? serverField(federation.body);
    return { name: told ?? (typeof header === "string" ? header : "unknown"), features: featuresIn(versions.body) };
  } catch (error) {
    throw new Error(`${origin} is not a working Matrix server`, { cause: error });
  } finally {
    await connection.destroy();
  }
}

function featuresIn(versions: Buffer): ReadonlySet<string> {
  const { unstable_features = {} } = JSON.parse(versions.toString()) as { unstable_features?: Record<string, boolean> };
  return new Set(Object.keys(unstable_features).filter((name) => unstable_features[name]));
}

function serverField(body: Buffer): string | undefined {
  try {
    const { server } = JSON.parse(body.toString());
    return typeof server?.name === "string" ? `${server.name} ${server.version ?? ""}`.trim() : undefined;
  } catch {
    return undefined;
  }
}
