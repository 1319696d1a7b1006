/** A request and its answer as Node has them, for a handler that speaks to Node itself. */
import type { IncomingMessage, ServerResponse } from "node:http";

type Headers = Readonly<Record<string, number | string | string[] | undefined>>;

export interface Exchange {
  incoming: IncomingMessage;
  /** With the headers that every answer has. */
  outgoing: ServerResponse;
}

export function exchangeOf(incoming: IncomingMessage, outgoing: ServerResponse, headers: Headers): Exchange {
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) outgoing.setHeader(name, value);
  return { incoming, outgoing };
}
