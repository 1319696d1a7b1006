import { performance, type EventLoopUtilization } from "node:perf_hooks";
import {
  commandLine,
  listProcesses,
  machineBusy_ms,
  type ProcessStat,
  proportionalMemory_bytes,
  residentMemory,
  withDescendants,
} from "./processes.ts";

/** Who used the CPU in a window, in percent of one core. `rest` is everything else on the machine, the kernel's part too. */
export interface CpuShares {
  client_percent: number;
  server_percent?: number;
  postgres_percent?: number;
  rest_percent?: number;
  /** How busy the load client's own event loop was; near 100 the client is the limit, not the server. */
  clientLoop_percent: number;
}

export interface Memory {
  server_bytes: number;
  serverPeak_bytes: number;
  /** Proportional, so that shared buffers count once; undefined when PostgreSQL is not in sight. */
  postgres_bytes?: number;
}

/** Which processes are measured. Empty when the target runs on another machine or is hidden from us. */
export interface Watched {
  serverPids: readonly number[];
  postgresPids: readonly number[];
}

/** Opaque moment; `shares` tells what happened between two. */
export interface Moment {
  at_ms: number;
  client_ms: number;
  server_ms: number;
  postgres_ms: number;
  busy_ms: number;
  loop: EventLoopUtilization;
}

export interface Probe {
  moment(): Moment;
  shares(from: Moment, to: Moment): CpuShares;
  /** Undefined when the server's process is not in sight. */
  memory(): Memory | undefined;
}

export function createProbe(watched: Watched): Probe {
  const seesServer = watched.serverPids.length > 0;
  const seesPostgres = watched.postgresPids.length > 0;
  return {
    moment: () => takeMoment(watched),
    shares(from, to) {
      const percent = (field: "client_ms" | "server_ms" | "postgres_ms" | "busy_ms"): number =>
        ((to[field] - from[field]) / (to.at_ms - from.at_ms)) * 100;
      const known = percent("client_ms") + percent("server_ms") + percent("postgres_ms");
      return {
        client_percent: percent("client_ms"),
        ...(seesServer && { server_percent: percent("server_ms") }),
        ...(seesPostgres && { postgres_percent: percent("postgres_ms") }),
        ...(seesServer && { rest_percent: Math.max(0, percent("busy_ms") - known) }),
        clientLoop_percent: performance.eventLoopUtilization(to.loop, from.loop).utilization * 100,
      };
    },
    memory() {
      if (!seesServer) return undefined;
      const { server, postgres } = groups(watched);
      const resident = server.map(({ pid }) => residentMemory(pid));
      return {
        server_bytes: sum(resident.map(({ rss_bytes }) => rss_bytes)),
        serverPeak_bytes: sum(resident.map(({ peak_bytes }) => peak_bytes)),
        ...(seesPostgres && { postgres_bytes: sum(postgres.map(({ pid }) => proportionalMemory_bytes(pid))) }),
      };
    },
  };
}

/**
 * PostgreSQL's main processes to count with a server: its own descendants and those that run on a
 * folder inside `dataDir`; where there is neither, the machine's only PostgreSQL, as it will be the server's.
 */
export function findPostgres(serverPids: readonly number[], dataDir?: string): number[] {
  const all = listProcesses();
  const postgres = all.filter(({ name }) => name === "postgres");
  const pids = new Set(postgres.map(({ pid }) => pid));
  const mains = postgres.filter(({ parentPid }) => !pids.has(parentPid)).map(({ pid }) => pid);
  const below = new Set(withDescendants(all, serverPids).map(({ pid }) => pid));
  const isOwn = (pid: number) => below.has(pid) || (dataDir !== undefined && commandLine(pid).includes(dataDir));
  const own = mains.filter(isOwn);
  return own.length === 0 && dataDir === undefined && mains.length === 1 ? mains : own;
}

function takeMoment(watched: Watched): Moment {
  const { server, postgres } = groups(watched);
  const own = process.cpuUsage();
  return {
    at_ms: performance.now(),
    client_ms: (own.user + own.system) / 1000,
    server_ms: sum(server.map(({ cpu_ms }) => cpu_ms)),
    postgres_ms: sum(postgres.map(({ cpu_ms }) => cpu_ms)),
    busy_ms: machineBusy_ms(),
    loop: performance.eventLoopUtilization(),
  };
}

/** The server with its children, less PostgreSQL where that runs as a child of the server. */
function groups(watched: Watched): { server: ProcessStat[]; postgres: ProcessStat[] } {
  const all = listProcesses();
  const postgres = withDescendants(all, watched.postgresPids);
  const inPostgres = new Set(postgres.map(({ pid }) => pid));
  const server = withDescendants(all, watched.serverPids).filter(({ pid }) => !inPostgres.has(pid));
  return { server, postgres };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
