// A small HTTP server that speaks as a cloud does, and misbehaves as it is told.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type Asked = {
  method: string;
  /** As it was sent, still percent-encoded, without the query. */
  path: string;
  query: URLSearchParams;
  headers: Record<string, string>;
  body: Buffer;
};

export type Answer = { status: number; headers?: Record<string, string>; body?: Buffer | string };

/**
 * What becomes of a request. `cut`: the connection breaks before anything happens. `lose`: it is done, and the connection breaks
 * before the answer. `half`: it is done, and the connection breaks in the middle of the answer's body. `hold`: nothing ever
 * comes back, and nothing happens. An answer: that comes back, and nothing happens.
 */
export type Manner = "cut" | "lose" | "half" | "hold" | Answer;

export type Fault = { when?(asked: Asked): boolean; times: number; manner: Manner };

export type Cloud = AsyncDisposable & {
  url: string;
  /** The next requests that match go wrong, so many times. */
  plan(fault: Fault): void;
  /** Whatever is planned and did not happen is forgotten. */
  behave(): void;
  /** Resolves when a request is held. */
  held(): Promise<void>;
  /** What was asked, `GET /path`, in its order. */
  asked: string[];
};

export async function serveCloud(answer: (asked: Asked) => Answer | Promise<Answer>): Promise<Cloud> {
  const asked: string[] = [];
  let faults: Fault[] = [];
  let onHeld = () => {};
  const held = new Promise<void>((resolve) => (onHeld = resolve));
  const server = createServer((request, response) => {
    void handle(request, response).catch(() => request.socket.destroy());
  });
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const received = await receive(request);
    asked.push(`${received.method} ${received.path}`);
    const fault = faults.find((each) => each.times > 0 && (each.when?.(received) ?? true));
    if (fault) fault.times -= 1;
    const manner = fault?.manner;
    if (manner === "cut") return request.socket.destroy();
    if (manner === "hold") return onHeld();
    if (typeof manner === "object") return send(response, received, manner);
    const answered = await answer(received);
    if (manner === "lose") return request.socket.destroy();
    return manner === "half" ? sendHalf(response, answered) : send(response, received, answered);
  };
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    plan: (fault) => void faults.push({ ...fault }),
    behave: () => (faults = []),
    held: () => held,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
}

async function receive(request: IncomingMessage): Promise<Asked> {
  const { method = "", url = "/" } = request;
  const [path = "", query = ""] = url.split("?");
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
  const body = Buffer.concat(await request.toArray());
  return { method, path, query: new URLSearchParams(query), headers, body };
}

function send(response: ServerResponse, { method }: Asked, { status, headers = {}, body = "" }: Answer): void {
  const length = headers["content-length"] ?? String(Buffer.byteLength(body));
  response.writeHead(status, { ...headers, ...(status === 204 ? {} : { "content-length": length }) });
  response.end(method === "HEAD" ? undefined : body);
}

function sendHalf(response: ServerResponse, { status, headers = {}, body = "" }: Answer): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, { ...headers, "content-length": String(bytes.length) });
  response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => response.destroy());
}

/** The part of the content that a Range header asks for, as an answer. */
export function rangeOf(content: Buffer, header: string | undefined): Answer {
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(header ?? "") ?? [];
  if (from === undefined) return { status: 200, body: content };
  const start = Number(from);
  const end = to ? Math.min(Number(to), content.length - 1) : content.length - 1;
  if (start >= content.length) return { status: 416 };
  return {
    status: 206,
    headers: { "content-range": `bytes ${start}-${end}/${content.length}` },
    body: content.subarray(start, end + 1),
  };
}
