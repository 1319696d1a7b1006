// The server of a test file, and the people who have an account there.

import { after } from "node:test";
import { type Person, registerPerson } from "./http.ts";
import { startTestServer, type TestServer, type TestServerOptions } from "./server.ts";

/**
 * Starts a server and registers people with these names: `const { server, alice, bob } = await startNeighbours(["alice", "bob"])`.
 * The server stops after the last test of the file.
 */
export async function startNeighbours<Name extends string>(
  names: readonly Name[],
  options?: TestServerOptions,
): Promise<{ server: TestServer } & Record<Name, Person>> {
  const server = await startTestServer(options);
  after(() => server.stop());
  const people = await Promise.all(names.map(async (name) => [name, await registerPerson(server.url, name)] as const));
  return { server, ...(Object.fromEntries(people) as Record<Name, Person>) };
}
