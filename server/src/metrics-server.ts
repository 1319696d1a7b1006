/** A port of its own for what operators read: /metrics, and the probes again, so that the public port need not show them. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Context } from "./context.ts";
import { asError } from "./errors.ts";
import { health } from "./health.ts";

export interface MetricsServer {
  listen(options: { host: string; port: number }): Promise<string>;
  close(): Promise<void>;
}

export function createMetricsServer(ctx: Context): MetricsServer {
  const server = createServer((request, response) => {
    const [path = "/"] = (request.url ?? "/").split("?");
    answer(ctx, path, response).catch((thrown: unknown) => {
      ctx.logger.error({ err: asError(thrown) }, "the metrics could not be told");
      response.destroy();
    });
  });
  return {
    listen: ({ host, port }) =>
      new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, host, () => {
          const address = server.address() as AddressInfo;
          resolve(`http://${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`);
        });
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(ctx: Context, path: string, response: ServerResponse): Promise<void> {
  if (path === "/metrics") {
    const { registry } = ctx.metrics;
    response.writeHead(200, { "content-type": registry.contentType }).end(await registry.metrics());
    return;
  }
  const found =
    path === "/health/live" ? health.live() : path === "/health/ready" ? await health.ready(ctx) : undefined;
  if (!found) return void response.writeHead(404).end();
  response.writeHead(found.status, { "content-type": "application/json" }).end(JSON.stringify(found.body));
}
