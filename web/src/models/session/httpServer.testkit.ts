/** A real HTTP server on a free port, for tests of what is sent before the SDK is there. */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

export interface Received {
  method: string;
  url: string;
  token: string | undefined;
  body: Record<string, unknown>;
}

export interface Answer {
  status: number;
  body: object;
  headers?: Record<string, string>;
}

export interface TestServer extends AsyncDisposable {
  baseUrl: string;
  received: Received[];
}

/** Answers each request with what `answer` gives, and keeps what was received. */
export async function startServer(answer: (request: Received) => Answer | Promise<Answer>): Promise<TestServer> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const seen = await read(request);
      received.push(seen);
      const { status, body, headers } = await answer(seen);
      response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(JSON.stringify(body));
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    received,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function read(request: IncomingMessage): Promise<Received> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString("utf8");
  return {
    method: request.method ?? "",
    url: request.url ?? "",
    token: request.headers.authorization?.replace("Bearer ", ""),
    body: text === "" ? {} : (JSON.parse(text) as Record<string, unknown>),
  };
}
