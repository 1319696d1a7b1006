// A push gateway as the specification describes it. What it is sent is checked against the specification's OpenAPI.

import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Json } from "./http.ts";
import { sharedChecker } from "./checked-fetch.ts";
import { waitFor } from "./wait.ts";

const PATH = "/_matrix/push/v1/notify";
const SCHEMA = {
  file: "api/push-gateway/push_notifier.yaml",
  pointer: "/paths/~1notify/post/requestBody/content/application~1json/schema",
};

export type PushGateway = AsyncDisposable & {
  /** For `data.url` of a pusher. */
  url: string;
  /** Every notification that it took, in order. */
  readonly taken: Json[];
  /** How it answers, in place of taking everything: a status, or the pushkeys that it rejects. Undefined takes it. */
  answer: ((notification: Json) => number | string[] | undefined) | undefined;
  /** Resolves when it has taken one for which `check` is true, and gives that. */
  took(what: string, check: (notification: Json) => boolean): Promise<Json>;
  /** Resolves when it was asked so often, whatever it answered. */
  askedTimes(times: number): Promise<void>;
};

/** Starts one on a free port of this machine. */
export async function startPushGateway(): Promise<PushGateway> {
  const listeners = new Set<() => void>();
  const taken: Json[] = [];
  const wrong: Error[] = [];
  let asked = 0;

  function take(request: { method?: string; url?: string }, text: string, response: ServerResponse): void {
    const { notification }: Json = JSON.parse(text);
    if (request.method !== "POST" || request.url !== PATH) return void response.writeHead(404).end();
    try {
      sharedChecker()?.checkSent("a notification", SCHEMA, { notification });
    } catch (thrown) {
      wrong.push(thrown as Error);
    }
    const answer = gateway.answer?.(notification);
    asked += 1;
    if (typeof answer === "number") response.writeHead(answer).end("{}");
    else {
      taken.push(notification);
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ rejected: answer ?? [] }));
    }
    for (const listener of listeners) listener();
  }

  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => take(request, Buffer.concat(parts).toString(), response));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const listen = (look: () => void) => {
    listeners.add(look);
    return () => void listeners.delete(look);
  };
  const gateway: PushGateway = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${PATH}`,
    taken,
    answer: undefined,
    took: (what, check) =>
      waitFor({ what, check: () => taken.find(check), listen, instead: () => JSON.stringify(taken, null, 1) }),
    askedTimes: async (times) => {
      await waitFor({ what: `the gateway is asked ${times} times`, check: () => asked >= times, listen });
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      if (wrong[0]) throw wrong[0];
    },
  };
  return gateway;
}
