import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer, type WebSocket } from "ws";

// A stand-in for a server of the stream: one list of texts, and a token that is its length.

export interface StandinStream extends AsyncDisposable {
  origin: string;
  /** Adds a text, which those who come back with an older token are told. */
  add(text: string): void;
  /** Ends all connections, as the death of the process does, and refuses so many attempts after it. */
  cut(refusing: number): void;
  /** The tokens with which streams were opened. */
  since: string[];
  /** Where they came from. */
  addresses: Set<string>;
}

export async function startStandinStream(): Promise<StandinStream> {
  const texts: string[] = [];
  const since: string[] = [];
  const addresses = new Set<string>();
  let toRefuse = 0;
  const server = createServer((_request, response) => response.end(JSON.stringify({ next_batch: `s${texts.length}` })));
  const sockets = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request, socket, head) => {
    if (toRefuse-- > 0) return socket.end("HTTP/1.1 503 Service Unavailable\r\n\r\n");
    addresses.add(request.socket.remoteAddress ?? "");
    sockets.handleUpgrade(request, socket, head, (link) =>
      link.on("message", (data) => answer(link, (data as Buffer).toString())),
    );
  });
  const answer = (link: WebSocket, text: string): void => {
    const frame = JSON.parse(text) as { type: string; since: string };
    if (frame.type !== "sign_in") return;
    since.push(frame.since);
    link.send(JSON.stringify({ type: "ready" }));
    const news = texts.slice(Number(frame.since.slice(1)));
    const next_batch = `s${texts.length}`;
    if (news.length > 0) link.send(JSON.stringify({ type: "sync", sync: { news, next_batch } }));
    link.send(JSON.stringify({ type: "heartbeat", next_batch }));
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    add: (text) => void texts.push(text),
    cut(refusing) {
      toRefuse = refusing;
      for (const link of sockets.clients) link.terminate();
    },
    since,
    addresses,
    async [Symbol.asyncDispose]() {
      for (const link of sockets.clients) link.terminate();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
