/** Traces by OpenTelemetry, sent by OTLP over HTTP. The only file that imports its SDK. */
import { AsyncLocalStorage } from "node:async_hooks";
import {
  type Attributes,
  diag,
  DiagLogLevel,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Tracer,
} from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { type Bus, readMessage } from "../bus/bus.ts";
import { limits } from "../limits.ts";
import type { Submission } from "../log/entry.ts";
import type { Seams } from "../seams.ts";
import { createCarried } from "./carried.ts";
import { type Trace, type TraceIds, TRACEPARENT, type Tracing, type TracingOptions } from "./tracing.ts";

/** Opens the exporter. A collector that is away costs traces, and a line in the log. */
export function openTelemetry(options: TracingOptions): Tracing {
  const provider = openProvider(options);
  const tracer = provider.getTracer("parley");
  const running = new AsyncLocalStorage<Span>();
  const recorded = () => {
    const span = running.getStore();
    return span?.isRecording() ? span : undefined;
  };

  function begin(method: string, route: string, parent: string | undefined): Trace {
    const attributes = { "http.request.method": method, "http.route": route };
    const above = parent !== undefined && TRACEPARENT.test(parent) ? below(parent) : ROOT_CONTEXT;
    const span = tracer.startSpan(`${method} ${route}`, { kind: SpanKind.SERVER, attributes }, above);
    return {
      run: (action) => running.run(span, action),
      ids: () => idsOf(span),
      end(status) {
        span.setAttribute("http.response.status_code", status);
        // A refusal is an outcome of the request, and no failure of the server.
        if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end();
      },
    };
  }

  async function step<T>(name: string, run: () => Promise<T>): Promise<T> {
    const parent = recorded();
    if (!parent) return run();
    const span = tracer.startSpan(name, {}, trace.setSpan(ROOT_CONTEXT, parent));
    try {
      return await running.run(span, run);
    } catch (thrown) {
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw thrown;
    } finally {
      span.end();
    }
  }

  const current = () => parentName(recorded());
  return {
    begin: ({ method, route, parent }) => begin(method, route, parent),
    step,
    current,
    ids: () => idsOf(recorded()),
    ...traceEntries({ tracer, current, seams: options.seams }),
    close: () => provider.shutdown(),
  };
}

function openProvider({ endpoint, headers, ratio, attributes, logger }: TracingOptions): TracerProvider {
  const warn = (reason: string) => logger.warn({ reason }, "traces were not sent");
  diag.setLogger({ error: warn, warn, info() {}, debug() {}, verbose() {} }, DiagLogLevel.WARN);
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, "")}/v1/traces`, headers: { ...headers } });
  return new TracerProvider({
    resource: resourceFromAttributes({ ...attributes }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
    spanProcessors: [new BatchSpanProcessor({ exporter, maxQueueSize: limits.traceQueue_spans })],
  });
}

interface EntryOptions {
  tracer: Tracer;
  current(): string | undefined;
  seams: Seams;
}

/** The way of a trace with its entries: through the append, over the bus, to those who are told. */
function traceEntries({ tracer, current, seams }: EntryOptions) {
  const bySubmission = new WeakMap<Submission, string>();
  const carried = createCarried();
  let bus: Bus | undefined;
  const hear = (positions: readonly number[], parent: string) => {
    for (const position of positions) carried.put(position, { parent, heard_ms: seams.now_ms() });
  };
  return {
    submitted(submission) {
      const parent = current();
      if (parent !== undefined) bySubmission.set(submission, parent);
    },
    placed(submissions, outcomes) {
      for (const [i, submission] of submissions.entries()) {
        const [parent, outcome] = [bySubmission.get(submission), outcomes[i]];
        if (parent === undefined || outcome?.outcome !== "appended") continue;
        const positions = outcome.entries.map(({ position }) => position);
        hear(positions, parent);
        bus?.publish("traces", JSON.stringify({ parent, positions }));
      }
    },
    share(shared) {
      bus = shared;
      shared.subscribe("traces", (message, own) => {
        if (own) return;
        const { parent, positions } = readMessage<{ parent: string; positions: number[] }>(message) ?? {};
        if (parent !== undefined && Array.isArray(positions)) hear(positions, parent);
      });
    },
    delivered({ after, upTo, via }) {
      for (const { position, parent, heard_ms } of carried.take(after, upTo)) {
        const attributes: Attributes = { "parley.via": via, "parley.position": position };
        const told = { kind: SpanKind.CONSUMER, startTime: heard_ms, attributes };
        tracer.startSpan(`deliver by ${via}`, told, below(parent)).end(seams.now_ms());
      }
    },
  } satisfies Partial<Tracing>;
}

function idsOf(span: Span | undefined): TraceIds | undefined {
  if (!span?.isRecording()) return undefined;
  const { traceId, spanId } = span.spanContext();
  return { trace_id: traceId, span_id: spanId };
}

/** The span's `traceparent`. Only recorded spans have one to give. */
function parentName(span: Span | undefined): string | undefined {
  if (!span) return undefined;
  const { traceId, spanId } = span.spanContext();
  return `00-${traceId}-${spanId}-01`;
}

/** The context of a span that is elsewhere. */
function below(parent: string) {
  const [, traceId = "", spanId = "", flags = ""] = TRACEPARENT.exec(parent) ?? [];
  const isSampled = (Number.parseInt(flags, 16) & TraceFlags.SAMPLED) !== 0;
  const traceFlags = isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}
