/**
 * Saved connections in one file, for who wants them outside of the database. It is written beside and renamed, with mode 600, so that
 * a reader sees all of one state; a lock beside it keeps two writers, of one process or of several on a shared disk, apart.
 */
import { chmod, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { asError, matrixError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { pause, randomToken, type Seams } from "../../seams.ts";
import { tooManyConnections } from "./check.ts";
import { type CredentialStore, type SavedConnection, tlsModes } from "./store.ts";

const bytes = z.base64().transform((text) => Buffer.from(text, "base64"));
const fileSchema = z.object({
  version: z.literal(1),
  connections: z.array(
    z.object({
      id: z.string(),
      owner: z.string(),
      name: z.string(),
      host: z.string(),
      port: z.int(),
      database: z.string(),
      user: z.string(),
      tls: z.enum(tlsModes),
      ca: z.string().nullable(),
      version: z.int(),
      created_ts: z.int(),
      wrappedKey: bytes,
      masterKey: z.string(),
      sealed: bytes,
    }),
  ),
});

type Connections = SavedConnection[];

export function inJsonFile(path: string, seams: Seams): CredentialStore {
  let turn: Promise<unknown> = Promise.resolve();
  /** Reads, lets `edit` change what was read, and writes where it says true. One at a time. */
  const change = <T>(edit: (all: Connections) => { write: boolean; result: T }): Promise<T> => {
    const mine = turn.then(() =>
      withLock(path, seams, async () => {
        const all = await read(path);
        const { write: isChanged, result } = edit(all);
        if (isChanged) await write(path, all, seams);
        return result;
      }),
    );
    turn = mine.catch(() => {});
    return mine;
  };
  const select = async (wanted: (each: SavedConnection) => boolean) => (await read(path)).filter(wanted);
  return {
    list: async (owner) => (await select((each) => each.owner === owner)).toSorted(byName),
    get: async (owner, id) => (await select((each) => each.owner === owner && each.id === id))[0],
    async add(connection) {
      const isAdded = await change((all) => {
        const room = all.filter(({ owner }) => owner === connection.owner).length < limits.explorerConnections;
        if (room) all.push(connection);
        return { write: room, result: room };
      });
      if (!isAdded) throw tooManyConnections();
    },
    replace: (connection) =>
      change((all) => {
        const at = all.findIndex(
          ({ id, owner, version }) =>
            id === connection.id && owner === connection.owner && version === connection.version - 1,
        );
        if (at !== -1) all[at] = connection;
        return { write: at !== -1, result: at !== -1 };
      }),
    remove: (owner, id) =>
      change((all) => {
        const at = all.findIndex((each) => each.owner === owner && each.id === id);
        if (at !== -1) all.splice(at, 1);
        return { write: at !== -1, result: at !== -1 };
      }),
    wrappedOtherwise: async (masterKey, most) =>
      (await select((each) => each.masterKey !== masterKey)).toSorted((a, b) => (a.id < b.id ? -1 : 1)).slice(0, most),
    rewrap: ({ id, from, to, masterKey }) =>
      change((all) => {
        const found = all.find((each) => each.id === id && each.wrappedKey.equals(from));
        if (found) Object.assign(found, { wrappedKey: to, masterKey });
        return { write: found !== undefined, result: found !== undefined };
      }),
    async byMasterKey() {
      const counts = new Map<string, number>();
      for (const { masterKey } of await read(path)) counts.set(masterKey, (counts.get(masterKey) ?? 0) + 1);
      return counts;
    },
  };
}

function byName(a: SavedConnection, b: SavedConnection): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}

/** Nothing of the file is told: it may be anything. */
async function read(path: string): Promise<Connections> {
  let text;
  try {
    text = await readFile(path, "utf8");
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw unusable(`can not be read (${(thrown as NodeJS.ErrnoException).code ?? "unknown"})`);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw unusable("is no JSON: restore it from a backup, or move it away to begin anew");
  }
  const parsed = fileSchema.safeParse(json);
  if (!parsed.success)
    throw unusable("is none of this version's: restore it from a backup, or move it away to begin anew");
  return parsed.data.connections;
}

function unusable(what: string) {
  return matrixError("M_UNKNOWN", `The file of saved connections (CREDENTIAL_STORAGE_PATH) ${what}.`);
}

async function write(path: string, connections: Connections, seams: Seams): Promise<void> {
  const text = JSON.stringify(
    {
      version: 1,
      connections: connections.map((each) => ({
        ...each,
        wrappedKey: each.wrappedKey.toString("base64"),
        sealed: each.sealed.toString("base64"),
      })),
    },
    undefined,
    1,
  );
  const beside = `${path}.${randomToken(seams, 6)}`;
  try {
    const file = await open(beside, "wx", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    // The mode of `open` goes through the process's mask.
    await chmod(beside, 0o600);
    await rename(beside, path);
  } catch (thrown) {
    await rm(beside, { force: true });
    throw unusable(`can not be written (${(asError(thrown) as NodeJS.ErrnoException).code ?? "unknown"})`);
  }
}

/** A file that only one can make, removed at the end. One that is older than any write takes was left by a process that ended. */
async function withLock<T>(path: string, seams: Seams, act: () => Promise<T>): Promise<T> {
  const lock = `${path}.lock`;
  await mkdir(dirname(path), { recursive: true });
  const deadline_ms = seams.monotonic_ms() + limits.credentialLock_ms;
  while (!(await takes(lock))) {
    if (await isAbandoned(lock, seams)) await breakLock(lock, seams);
    else if (seams.monotonic_ms() > deadline_ms) throw unusable("is being written by another process: try again");
    else await pause(seams, limits.credentialLockLook_ms);
  }
  try {
    return await act();
  } finally {
    await rm(lock, { force: true });
  }
}

async function takes(lock: string): Promise<boolean> {
  try {
    await (await open(lock, "wx", 0o600)).close();
    return true;
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    throw unusable(`can not be written (${code ?? "unknown"})`);
  }
}

/**
 * Removes a lock that was left. Of several who see that, one at a time looks again and removes it: whoever looked before could
 * otherwise remove the lock that somebody has taken since.
 */
async function breakLock(lock: string, seams: Seams): Promise<void> {
  const breaking = `${lock}.breaking`;
  if (!(await takes(breaking))) {
    if (await isAbandoned(breaking, seams)) await rm(breaking, { force: true });
    return pause(seams, limits.credentialLockLook_ms);
  }
  try {
    if (await isAbandoned(lock, seams)) await rm(lock, { force: true });
  } finally {
    await rm(breaking, { force: true });
  }
}

async function isAbandoned(lock: string, seams: Seams): Promise<boolean> {
  const found = await stat(lock).catch(() => undefined);
  return found !== undefined && seams.now_ms() - found.mtimeMs > limits.credentialLockAbandoned_ms;
}
