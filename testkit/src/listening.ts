import { once } from "node:events";
import type { AddressInfo, Server } from "node:net";

/** Has it listen on a free port of this machine, until it is disposed of. */
export async function listening(server: Server): Promise<{ port: number } & AsyncDisposable> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { port, [Symbol.asyncDispose]: async () => void server.close() };
}
