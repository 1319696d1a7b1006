import type { MatrixClient } from "matrix-js-sdk";

type Events = Parameters<MatrixClient["on"]>[0];
type Listener = (...parts: never[]) => void;

/** Listens to several of the client's events and answers the function that stops it. */
export function listen(client: MatrixClient, listeners: Partial<Record<string, Listener>>): () => void {
  const entries = Object.entries(listeners) as [Events, () => void][];
  for (const [name, listener] of entries) client.on(name, listener);
  return () => {
    for (const [name, listener] of entries) client.off(name, listener);
  };
}
