// A bridge that others wrote, between Parley and a network that the test holds in its hands: see bridge-process.ts.

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { atEndOfProcess } from "../../server/src/db/embedded/at-end.ts";
import { freePort } from "./ports.ts";
import { waitFor } from "./wait.ts";

/** What the bridge tells: that it is ready, what it heard in Matrix, where its users are, what they said there. */
export type Told = { is: string; room?: string; user?: string; id?: string; sender?: string; text?: string };

export type Bridge = AsyncDisposable & {
  /** Its registration, for PARLEY_APPSERVICES. */
  file: string;
  /** Everything that it told, over all its runs. */
  told: readonly Told[];
  /** Starts it, and resolves when it is ready. */
  start(homeserverUrl: string): Promise<void>;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** Somebody on the network says something in a room. */
  say(user: string, room: string, text: string): void;
  until<T>(what: string, look: (told: readonly Told[]) => T | undefined | false): Promise<T>;
};

type Child = ChildProcessByStdio<Writable, Readable, Readable>;
const main = fileURLToPath(new URL("bridge-process.ts", import.meta.url));

/** Makes the registration of a bridge whose users are `@_net_…`, and whose aliases `#_net_…`; it does not run yet. */
export async function makeBridge(): Promise<Bridge> {
  const directory = mkdtempSync(join(tmpdir(), "parley-bridge-"));
  const file = join(directory, "net.yaml");
  const port = await freePort();
  writeFileSync(file, registrationAt(port));
  const told: Told[] = [];
  const lookers = new Set<() => void>();
  let child: Child | undefined;
  let errors = "";
  const until: Bridge["until"] = (what, look) =>
    waitFor({
      what,
      check: () => look(told),
      listen: (again) => {
        lookers.add(again);
        return () => lookers.delete(again);
      },
      instead: () => `${told.map((each) => JSON.stringify(each)).join("\n")}\n${errors}`,
    });
  const kill = async () => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  return {
    file,
    told,
    until,
    kill,
    async start(homeserverUrl) {
      const readyBefore = told.filter(({ is }) => is === "ready").length;
      child = spawn(process.execPath, ["--no-deprecation", main, homeserverUrl, file, `${port}`]);
      child.once(
        "exit",
        atEndOfProcess(() => void child?.kill("SIGKILL")),
      );
      child.stderr.on("data", (text: Buffer) => (errors += text.toString("utf8")));
      createInterface(child.stdout).on("line", (line) => {
        // Its library logs to the same place.
        if (!line.startsWith('{"is"')) return;
        told.push(JSON.parse(line) as Told);
        for (const look of lookers) look();
      });
      await until("the bridge is ready", (all) => all.filter(({ is }) => is === "ready").length > readyBefore);
    },
    say: (user, room, text) => void child?.stdin.write(`${JSON.stringify({ user, room, text })}\n`),
    async [Symbol.asyncDispose]() {
      await kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function registrationAt(port: number): string {
  return `id: net
url: http://127.0.0.1:${port}
as_token: as-token-of-the-network-bridge
hs_token: hs-token-of-the-network-bridge
sender_localpart: _net_bot
rate_limited: false
namespaces:
  users: [{ exclusive: true, regex: "@_net_.*" }]
  aliases: [{ exclusive: true, regex: "#_net_.*" }]
  rooms: []
`;
}
