import type { Setting } from "./setting.ts";

export const tracingSettings: readonly Setting[] = [
  {
    name: "OTEL_EXPORTER_OTLP_ENDPOINT",
    doc: "Where traces go: a collector that takes OTLP over HTTP, such as http://otel-collector:4318. By default nowhere.",
  },
  {
    name: "OTEL_EXPORTER_OTLP_HEADERS",
    secret: true,
    doc: "What the collector wants to be told with each request: name=value, with commas between.",
  },
  {
    name: "OTEL_TRACES_SAMPLER_ARG",
    default: "0.01",
    doc: "The part of requests that is traced, from 0 to 1, where a trusted proxy in front has not decided.",
  },
  {
    name: "PARLEY_GRAFANA_URL",
    doc: "Where operators see more than the console's metrics, such as a dashboard of Grafana: the console links to it.",
  },
];
