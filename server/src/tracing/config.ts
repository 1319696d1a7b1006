/** The settings of traces. */
import { type Env, refuse, text, url } from "../settings/read.ts";

export interface Traces {
  /** A collector that takes OTLP over HTTP. */
  endpoint: string;
  headers: Record<string, string>;
  /** The part of requests that is traced, from 0 to 1. */
  ratio: number;
}

/** Undefined where nothing is to be traced. */
export function readTraces(env: Env): Traces | undefined {
  const endpoint = url(env, "OTEL_EXPORTER_OTLP_ENDPOINT", ["http:", "https:"]);
  const part = text(env, "OTEL_TRACES_SAMPLER_ARG");
  const ratio = /^\d(\.\d{1,6})?$/.test(part) ? Number(part) : Number.NaN;
  if (!(ratio <= 1)) refuse("OTEL_TRACES_SAMPLER_ARG", part, "set it to a number from 0 to 1, such as 0.01.");
  const headers = headersOf(env["OTEL_EXPORTER_OTLP_HEADERS"] ?? "");
  return endpoint === undefined ? undefined : { endpoint, headers, ratio };
}

/** As the specification of OpenTelemetry has it: name=value, with commas between, and values encoded as in an address. */
function headersOf(value: string): Record<string, string> {
  const list = value.split(",").filter((each) => each.trim() !== "");
  return Object.fromEntries(
    list.map((each) => {
      const [, name, encoded] = /^\s*([\w-]+)\s*=\s*((?:[^%\s]|%[0-9a-fA-F]{2})+)\s*$/.exec(each) ?? [];
      if (name === undefined || encoded === undefined)
        return refuse("OTEL_EXPORTER_OTLP_HEADERS", value, "set it to name=value, with commas between.");
      return [name, decodeURIComponent(encoded)];
    }),
  );
}
