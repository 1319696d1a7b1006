// Alice, Bob and the others: each test has a town of its own, with a server and the people who use it.

import assert from "node:assert/strict";
import { type Device, type DeviceOptions, openDevice } from "./device.ts";
import { sharedChecker, uncheckedFetch } from "./checked-fetch.ts";
import { type Person, registerPerson, signInPerson } from "./http.ts";
import { checkingFetch, type CheckingFetch } from "./openapi/checking-fetch.ts";
import { startTestServer, type TestServer, type TestServerOptions } from "./server.ts";
import { type Talk, talkOf } from "./talk.ts";

/** A person at one of their devices. */
export type Someone = Device &
  Talk & {
    /** Signs the same person in on one more device, and opens the app there: `await alice.device("phone")`. */
    device(deviceName: string): Promise<Someone>;
  };

export type Town = AsyncDisposable & {
  url: string;
  /** The server, where the town started one. */
  readonly server: TestServer | undefined;
  /** As `fetch`, with a look at each answer. */
  fetch: typeof fetch;
  /** Stops the town's own server and starts another on its database, at the same address; the apps find it again. */
  restartServer(): Promise<void>;
  /** Registers an account and opens the app on its first device; those after it are as the first. */
  person(name: string, app?: Pick<DeviceOptions, "isSliding">): Promise<Someone>;
  /** Opens the app on a session that came about in another way. */
  opens(session: Person, app: Pick<DeviceOptions, "label" | "oauth">): Promise<Someone>;
};

export type TownOptions = TestServerOptions & {
  /** A server that runs already, in place of one of the town's own. */
  url?: string;
};

/**
 * Starts a server and lets people move in: `await using town = await startTown()`. At its end the apps are closed, the server
 * stops, and it is an error if any answer was not as the specification has it, or was the server's own failure.
 */
export async function startTown({ url, ...options }: TownOptions = {}): Promise<Town> {
  let server = url === undefined ? await startTestServer(options) : undefined;
  const at = url ?? (server as TestServer).url;
  const checker = sharedChecker();
  const checking = checker && checkingFetch(uncheckedFetch, checker, { onViolation: () => {} });
  const checked = checking?.fetch ?? uncheckedFetch;
  const devices: Device[] = [];
  const open = async (
    person: Person,
    name: string,
    app: Pick<DeviceOptions, "label" | "isSliding" | "oauth">,
  ): Promise<Someone> => {
    const password = `password of ${name}`;
    const device = await openDevice({ ...app, url: at, person, password, fetch: checked });
    devices.push(device);
    const more = async (deviceName: string) =>
      open(await signInPerson(at, name), name, { isSliding: app.isSliding === true, label: `${name} (${deviceName})` });
    return Object.assign(device, talkOf(device), { device: more });
  };
  return {
    url: at,
    get server() {
      return server;
    },
    fetch: checked,
    async restartServer() {
      if (!server) throw new Error("the server is not the town's own");
      const { databaseUrl } = server;
      await server.halt();
      const config = { ...options.config, port: Number(new URL(at).port) };
      server = await startTestServer({ ...options, config, databaseUrl });
      await Promise.all(devices.map((device) => device.comeOnline()));
    },
    person: async (name, app = {}) => open(await registerPerson(at, name), name, { ...app, label: name }),
    opens: (session, app) => open(session, session.userId.slice(1).split(":")[0] as string, app),
    async [Symbol.asyncDispose]() {
      await Promise.all(devices.map((device) => device.close()));
      await server?.stop();
      if (checking) assertSound(checking);
    },
  };
}

/** The clients retry what they do not understand, so what was wrong is said here, at the end. */
function assertSound(checking: CheckingFetch): void {
  assert.deepEqual(
    checking.violations().map((violation) => violation.message),
    [],
  );
  const failures = checking.covered().filter(({ status }) => status >= 500);
  assert.deepEqual(failures, [], "the server failed");
}
