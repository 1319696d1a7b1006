/**
 * Traces: what became of a request, from its arrival to the screens of those who are told. A trace goes with the request through
 * the gateway to the process that serves it (W3C `traceparent`), into the log with its entries, and ahead of their hint to the
 * processes that deliver them. It is never stored: an entry that a process reads from the database has lost its trace.
 *
 * Without `OTEL_EXPORTER_OTLP_ENDPOINT` there is no tracing, and none of its code is loaded. What a span says is of the server:
 * names of routes, numbers, outcomes. No content, no token, no user.
 */
import type { Bus } from "../bus/bus.ts";
import type { Config } from "../config.ts";
import type { LogTracing } from "../log/open.ts";
import { createLogger, type Logger } from "../logger.ts";
import type { Seams } from "../seams.ts";
import { version } from "../version.ts";

export interface Tracing extends LogTracing {
  /** Begins with a request: a span of its own, below `parent` where there is one. */
  begin(asked: Asked): Trace;
  /** The W3C `traceparent` of what runs now, for another process; undefined where nothing is recorded. */
  current(): string | undefined;
  /** Under which the log lines of what runs now are found. */
  ids(): TraceIds | undefined;
  /** Tells the other processes of traced entries, before their hint, and hears of theirs. */
  share(bus: Bus): void;
  /** Clients were told what stands above `after`, up to `upTo`. */
  delivered(told: Told): void;
  /** Sends what is left. */
  close(): Promise<void>;
}

/** One request that may be recorded. */
export interface Trace {
  /** What runs in here belongs to it, and so does what that waits for. */
  run<T>(action: () => T): T;
  ids(): TraceIds | undefined;
  end(status: number): void;
}

export interface TraceIds {
  trace_id: string;
  span_id: string;
}

export interface Asked {
  method: string;
  /** The pattern, never the path itself. */
  route: string;
  /** What a trusted proxy said. */
  parent: string | undefined;
}

export interface Told {
  after: number;
  upTo: number;
  via: "sync" | "stream";
}

export interface TracingOptions {
  endpoint: string;
  headers: Readonly<Record<string, string>>;
  /** The part of requests that is recorded, from 0 to 1, unless their caller has decided. */
  ratio: number;
  attributes: Readonly<Record<string, string>>;
  seams: Seams;
  logger: Logger;
}

/** Opens the log of the process, whose lines say which trace they belong to, and tracing where the settings ask for it. */
export async function openObservers(config: Config, seams: Seams): Promise<{ logger: Logger; tracing?: Tracing }> {
  if (!config.traces) return { logger: createLogger(config.logLevel) };
  const opened: { tracing?: Tracing } = {};
  const logger = createLogger(config.logLevel, () => opened.tracing?.ids());
  const { openTelemetry } = await import("./telemetry.ts");
  const attributes = {
    "service.name": "parley",
    "service.version": version,
    "parley.server_name": config.serverName,
    "parley.roles": config.roles.join(","),
  };
  const tracing = openTelemetry({ ...config.traces, attributes, seams, logger });
  opened.tracing = tracing;
  return { logger, tracing };
}

/** A W3C `traceparent` of version 00; what is none is not believed. */
export const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;
