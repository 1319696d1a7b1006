/** The traces of the requests that a process is answering. */
import type { IncomingMessage } from "node:http";
import type { Context } from "../context.ts";
import { fromTrustedProxy } from "../request-ids.ts";
import type { Trace, TraceIds } from "./tracing.ts";

export interface RequestTraces {
  begin(request: IncomingMessage, route: string): void;
  /** Runs what answers the request as part of its trace. */
  run<T>(request: IncomingMessage, action: () => T): T;
  ids(request: IncomingMessage): TraceIds | undefined;
  end(request: IncomingMessage, status: number): void;
}

/** Undefined where nothing is traced. */
export function traceRequests({ tracing, config }: Context): RequestTraces | undefined {
  if (!tracing) return undefined;
  const traces = new WeakMap<IncomingMessage, Trace>();
  const isTrusted = fromTrustedProxy(config);
  return {
    begin(request, route) {
      const given = request.headers["traceparent"];
      // Anybody could have all of their requests recorded by saying so.
      const parent = typeof given === "string" && isTrusted(request) ? given : undefined;
      traces.set(request, tracing.begin({ method: request.method ?? "", route, parent }));
    },
    run(request, action) {
      const trace = traces.get(request);
      return trace ? trace.run(action) : action();
    },
    ids: (request) => traces.get(request)?.ids(),
    end: (request, status) => traces.get(request)?.end(status),
  };
}
