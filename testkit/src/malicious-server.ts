// A server that lies: a proxy before a real one, which changes what single people are told. Whatever no lie is about passes as it is.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import type { Json } from "./http.ts";
import { listening } from "./listening.ts";

/** A request and its answer. A lie changes the answer's status and body in place. */
export type Exchange = {
  method: string;
  /** With the query, as it was asked for. */
  path: string;
  token: string;
  asked: Json;
  /** What was sent, as it came. */
  bytes: Uint8Array;
  status: number;
  body: Json;
};

/** Gives whether it has lied: an answer may have nothing in it that it is about. */
export type Lie = (exchange: Exchange) => boolean | void | Promise<boolean | void>;

export type Lying = {
  /** Resolves when it has been told for the first time. */
  told: Promise<void>;
  /** From here on the truth. Throws where the lie was never told: then the test has shown nothing. */
  end(): void;
};

/** Who is lied to. */
type Victim = { plain: { token: string } };

/** Other words for what a client says, and for what it hears. */
export type Translation = { asked(text: string): string; answered(text: string): string };

export type MaliciousServer = AsyncDisposable & {
  url: string;
  /** From now on, changes what this client is answered at addresses like this. */
  lies(to: Victim, path: RegExp, lie: Lie): Lying;
  /** From now on, changes every word between this client and the server, at addresses like this. */
  translates(to: Victim, path: RegExp, translation: Translation): void;
  /** The requests of a client that were answered until now, at addresses like this. */
  answered(of: Victim, path: RegExp): Exchange[];
};

type Translated = { token: string; path: RegExp; translation: Translation };

type Told = { token: string; path: RegExp; lie: Lie; onTold: () => void };

export async function openMaliciousServer(honest: string): Promise<MaliciousServer> {
  const lies = new Set<Told>();
  const translations: Translated[] = [];
  const exchanges: Exchange[] = [];
  /** A lie that breaks is a mistake in the test: said at the end, for the client only sees a connection that broke. */
  const mistakes: unknown[] = [];
  const told = async (lie: Lie, exchange: Exchange) => {
    try {
      return await lie(exchange);
    } catch (thrown) {
      mistakes.push(thrown);
      throw thrown;
    }
  };
  const tell = async (exchange: Exchange) => {
    for (const { token, path, lie, onTold } of lies)
      if (token === exchange.token && path.test(exchange.path) && (await told(lie, exchange)) !== false) onTold();
    exchanges.push(structuredClone(exchange));
  };
  const server = createServer((request, response) => {
    pass(request, response, { honest, tell, translations }).catch((error: unknown) => {
      // Who asked is gone, or the server: either way there is nobody to answer, or nothing.
      response.destroy(error instanceof Error ? error : undefined);
    });
  });
  const { port } = await listening(server);
  return {
    url: `http://127.0.0.1:${port}`,
    lies({ plain: { token } }, path, lie) {
      const { promise, resolve } = Promise.withResolvers<void>();
      let isTold = false;
      const onTold = () => {
        isTold = true;
        resolve();
      };
      const told: Told = { token, path, lie, onTold };
      lies.add(told);
      const end = () => {
        lies.delete(told);
        if (!isTold) throw new Error(`the lie about ${path} was never told`);
      };
      return { told: promise, end };
    },
    translates: ({ plain: { token } }, path, translation) => void translations.push({ token, path, translation }),
    answered: ({ plain: { token } }, path) =>
      exchanges.filter((exchange) => exchange.token === token && path.test(exchange.path)),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
      if (mistakes.length > 0) throw mistakes[0];
    },
  };
}

type Passing = {
  honest: string;
  tell: (exchange: Exchange) => Promise<void>;
  translations: readonly Translated[];
};

async function pass(request: IncomingMessage, response: ServerResponse, passing: Passing): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const { authorization, "content-type": type } = request.headers;
  const token = authorization?.replace(/^Bearer /, "") ?? "";
  const isMeant = (each: Translated) => each.token === token && each.path.test(request.url ?? "/");
  const translation = passing.translations.find(isMeant)?.translation;
  const method = request.method ?? "GET";
  const bytes = await buffer(request);
  const sent = translation ? Buffer.from(translation.asked(bytes.toString())) : bytes;
  const path = translation ? translation.asked(request.url ?? "/") : (request.url ?? "/");
  const answer = await fetch(passing.honest + path, {
    method,
    headers: { ...(authorization ? { authorization } : {}), ...(type ? { "content-type": type } : {}) },
    ...(sent.length > 0 ? { body: sent } : {}),
    signal: gone.signal,
  });
  const contentType = answer.headers.get("content-type") ?? "";
  const text = Buffer.from(await answer.arrayBuffer());
  if (!contentType.startsWith("application/json")) {
    response.writeHead(answer.status, contentType ? { "content-type": contentType } : {}).end(text);
    return;
  }
  const body: Json = JSON.parse(translation ? translation.answered(text.toString()) : text.toString());
  const asked: Json = type?.startsWith("application/json") && sent.length > 0 ? JSON.parse(sent.toString()) : undefined;
  const exchange: Exchange = { method, path, token, asked, bytes, status: answer.status, body };
  await passing.tell(exchange);
  response.writeHead(exchange.status, { "content-type": contentType }).end(JSON.stringify(exchange.body));
}
