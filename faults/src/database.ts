// PostgreSQL as a cluster has it: a primary, a standby that every commit waits for, and a misbehaving way to each of them.
// The two places keep their addresses; which of them is the primary changes with each fail-over.

import { execFileSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { atEndOfProcess } from "../../testkit/src/at-end.ts";
import { createPostgres, createStandby, makeSynchronous, type Postgres, promote } from "../../testkit/src/postgres.ts";
import { openTcpProxy, type TcpProxy } from "../../testkit/src/tcp-proxy.ts";
import { notificationFilter } from "./notification-loss.ts";

/** Enough for a database of some thousand messages and its WAL, and quickly filled. */
const DISK_BYTES = 500 * 1_048_576;
const BALLAST = "ballast";
/** So little that the disk is filled by nothing but the ballast: a standby that starts anew needs what was written since its copy. */
const SETTINGS = { wal_keep_size: "64MB", max_wal_size: "64MB" };
/** How long PostgreSQL may take to come back by itself once there is room again. */
const RECOVERY_MS = 5_000;

export type Pair = AsyncDisposable & {
  /** Both, as libpq writes it. */
  url: string;
  primary(): Postgres;
  standby(): Postgres;
  /** The way to both. */
  proxies: readonly TcpProxy[];
  /** SIGKILL to every process of the primary, and its start. */
  crash(): Promise<void>;
  /** The primary ends, the standby takes over; a new standby takes the place of the old primary. */
  failOver(): Promise<void>;
  /**
   * The same, and what the primary has shown last is lost: the standby is away for so long, and the backends whose commits wait
   * for it are ended. Nobody was answered these commits.
   */
  failOverBehind(away_ms: number): Promise<void>;
  /** The primary's disk is full until the returned function is called; undefined where it has no disk of its own. */
  fillDisk: (() => Promise<() => Promise<void>>) | undefined;
  /** The part of the notifications that get lost from now on. */
  loseNotifications(part: number): void;
};

/** The server gives up waiting for the standby, and shows what it has committed. */
const END_WAITING =
  "select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'SyncRep' and pid <> pg_backend_pid()";

type Place = { directory: string; server: Postgres; name: string };

/** Starts both in `directory`, each on a small disk of its own where this process may mount one. */
export async function openPair(directory: string, chance: () => number): Promise<Pair> {
  const disks = ["a", "b"].map((name) => join(directory, name));
  const mounted = disks.filter(mountDisk);
  const unmount = () => {
    for (const disk of mounted) execFileSync("umount", ["--lazy", disk]);
  };
  const callOff = atEndOfProcess(unmount);
  let lost = 0;
  let generation = 0;
  const newDirectory = (disk: string) => join(disk, `g${++generation % 10}`);
  const first = await createPostgres(newDirectory(disks[0] as string), SETTINGS);
  const copy = { directory: newDirectory(disks[1] as string), name: "b", settings: SETTINGS };
  const second = await createStandby(first, copy);
  await makeSynchronous(first, "b");
  const places: [Place, Place] = [
    { directory: disks[0] as string, server: first, name: "a" },
    { directory: disks[1] as string, server: second, name: "b" },
  ];
  let at = 0;
  const proxies = await Promise.all(
    places.map((place) =>
      openTcpProxy(
        () => ({ path: place.server.socket }),
        () => notificationFilter(() => chance() < lost),
      ),
    ),
  );
  const here = () => places[at] as Place;
  const there = () => places[1 - at] as Place;
  const failOver = async () => {
    const old = here();
    await old.server.crash();
    await there().server.start();
    await promote(there().server);
    at = 1 - at;
    await rm(old.server.directory, { recursive: true, force: true, maxRetries: 5 });
    const anew = { directory: newDirectory(old.directory), name: old.name, settings: SETTINGS };
    old.server = await createStandby(here().server, anew);
    await makeSynchronous(here().server, old.name);
  };
  return {
    url: `postgres://parley@${proxies.map(({ port }) => `127.0.0.1:${port}`).join(",")}/postgres`,
    primary: () => here().server,
    standby: () => there().server,
    proxies,
    async crash() {
      await here().server.crash();
      await here().server.start();
    },
    failOver,
    async failOverBehind(away_ms) {
      const primary = here().server;
      await there().server.crash();
      for (const end_ms = performance.now() + away_ms; performance.now() < end_ms; await wait(50))
        await primary.query(END_WAITING);
      await failOver();
    },
    fillDisk: mounted.length === disks.length ? () => fillDisk(here()) : undefined,
    loseNotifications: (part) => void (lost = part),
    async [Symbol.asyncDispose]() {
      for (const proxy of proxies) await proxy.close();
      for (const { server } of places) await server.crash();
      callOff();
      unmount();
    },
  };
}

/** A small file system in memory, where this process may mount one. */
function mountDisk(path: string): boolean {
  mkdirSync(path, { recursive: true });
  if (process.getuid?.() !== 0 || process.platform !== "linux") return false;
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_BYTES},mode=0755`, "tmpfs", path], { stdio: "pipe" });
    return true;
  } catch {
    return false;
  }
}

/** Fills the disk to the last byte, and asks for a new piece of WAL, which has no room. */
async function fillDisk(place: Place): Promise<() => Promise<void>> {
  const ballast = join(place.directory, BALLAST);
  const file = openSync(ballast, "w");
  for (let bytes = 1_048_576; bytes >= 4_096;)
    try {
      writeSync(file, Buffer.alloc(bytes, 1));
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== "ENOSPC") throw thrown;
      bytes /= 2;
    }
  closeSync(file);
  const { server } = place;
  for (let i = 0; i < 3; i++) await server.query("select pg_switch_wal(), txid_current()").catch(() => {});
  return async () => {
    if (existsSync(ballast)) rmSync(ballast);
    // Where it could not even recover it has given up.
    if (!(await isUp(server))) {
      await server.crash();
      await server.start();
    }
  };
}

/** Whether it takes connections, after a recovery that may take a while. */
async function isUp(server: Postgres): Promise<boolean> {
  const deadline_ms = performance.now() + RECOVERY_MS;
  while (server.isRunning() && performance.now() < deadline_ms) {
    const answers = await server.query("select 1").catch(() => undefined);
    if (answers) return true;
    await wait(50);
  }
  return false;
}
