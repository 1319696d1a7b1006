// A TCP proxy that misbehaves as it is told: it cuts, delays, refuses, and swallows what comes back.

import { connect as connectTo, createServer, type Socket } from "node:net";
import { once } from "node:events";

/**
 * What becomes of connections. `pass`: nothing. `refuse`: the open ones are cut and new ones too. `hang`: they stay open and
 * nothing goes through. `swallow`: requests go through and no answer comes back.
 */
export type Manner = "pass" | "refuse" | "hang" | "swallow";

export type TcpProxy = AsyncDisposable & {
  port: number;
  /** Changes the manner for open connections and new ones. */
  behave(manner: Manner): void;
  /** Delays everything in both directions from now on. */
  delay(delay_ms: number): void;
  /** Cuts every open connection, once. */
  cut(): void;
  close(): Promise<void>;
};

/** Looks into one connection: what goes there, and what of an answer comes back. */
export type Filter = { request(chunk: Buffer): void; answer(chunk: Buffer): Buffer };

/** Where it leads: a port of this machine, or the path of a socket. */
export type Upstream = { port: number } | { path: string };

/** Listens on a free port of this machine. `upstream` is asked for each connection: what is behind may move. */
export async function openTcpProxy(upstream: () => Upstream, newFilter?: () => Filter): Promise<TcpProxy> {
  const links = new Set<Link>();
  const state: State = { manner: "pass", delay_ms: 0, newFilter };
  const server = createServer((outer) => {
    if (state.manner === "refuse") return void outer.destroy();
    const link = openLink(outer, connectTo(upstream()), state);
    links.add(link);
    outer.once("close", () => links.delete(link));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = () => {
    for (const link of links) link.cut();
  };
  const close = async () => {
    server.close();
    cut();
    await once(server, "close");
  };
  return {
    port: (server.address() as { port: number }).port,
    behave(manner) {
      state.manner = manner;
      if (manner === "refuse") cut();
      if (manner === "pass") for (const link of links) link.flush();
    },
    delay: (delay_ms) => void (state.delay_ms = delay_ms),
    cut,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** A way to a database that tests share, which can be cut, and its address by this way. */
export async function openWayTo(databaseUrl: string): Promise<{ proxy: TcpProxy; url: string }> {
  const { pathname, username, searchParams, hostname } = new URL(databaseUrl);
  const directory = searchParams.get("host") ?? decodeURIComponent(hostname);
  const proxy = await openTcpProxy(() => ({ path: `${directory}/.s.PGSQL.5432` }));
  return { proxy, url: `postgres://${username}@127.0.0.1:${proxy.port}${pathname}` };
}

type State = { manner: Manner; delay_ms: number; newFilter: (() => Filter) | undefined };

type Link = {
  cut(): void;
  /** Lets go of what was held back while the proxy hung. */
  flush(): void;
};

function openLink(outer: Socket, inner: Socket, state: State): Link {
  const cut = () => {
    inner.destroy();
    outer.destroy();
  };
  for (const socket of [inner, outer]) socket.setNoDelay(true).on("error", cut).on("close", cut);
  const filter = state.newFilter?.();
  const there = openLane(inner, state);
  const back = openLane(outer, state);
  outer.on("data", (chunk: Buffer) => {
    filter?.request(chunk);
    there.put(chunk);
  });
  inner.on("data", (chunk: Buffer) => {
    if (state.manner !== "swallow") back.put(filter ? filter.answer(chunk) : chunk);
  });
  return {
    cut,
    flush() {
      there.flush();
      back.flush();
    },
  };
}

/** One direction of a connection. Nothing overtakes what came before it, whatever becomes of the delay meanwhile. */
function openLane(to: Socket, state: State) {
  const waiting: { chunk: Buffer; due_ms: number }[] = [];
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    while (state.manner !== "hang" && waiting[0]) {
      const rest_ms = waiting[0].due_ms - performance.now();
      // A timer may come a little early.
      if (rest_ms >= 1) return void (timer = setTimeout(flush, rest_ms));
      const { chunk } = waiting.shift() as { chunk: Buffer };
      if (!to.destroyed) to.write(chunk);
    }
  };
  return {
    put(chunk: Buffer): void {
      waiting.push({ chunk, due_ms: performance.now() + state.delay_ms });
      if (timer === undefined) flush();
    },
    flush,
  };
}
