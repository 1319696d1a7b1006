/**
 * Messages and files that have not reached the server, kept over a reload.
 *
 * They are what a person has written, of encrypted rooms too, so each lies here sealed (AES-GCM) under a key that comes of the device's
 * own: the one that the crypto store is encrypted with. Whoever forgets that makes them unreadable too. See `credentials.ts`.
 */
import { type Sealed, type Sealer, sealerOf } from "./seal.ts";

export interface Unsent {
  /** With which the server takes it once, however often it comes. */
  txnId: string;
  roomId: string;
  type: string;
  content: Record<string, unknown>;
  /** Of a deletion: what is deleted. */
  redacts?: string | undefined;
  /** When it was written. */
  at_ms: number;
  /** Why the server refused it; absent while it only waits. */
  failure?: string | undefined;
  /** Of a file, whose content is made when it is uploaded. */
  upload?: UnsentFile | undefined;
}

export interface UnsentFile {
  file: File;
  caption?: string | undefined;
  /** The first message of the thread that it goes to. */
  rootId?: string | undefined;
}

export interface UnsentStore {
  /** In the order in which they were written. What can not be opened is left out. */
  all(): Promise<Unsent[]>;
  /** Keeps a message behind those that are there, or anew in its own place. */
  put(unsent: Unsent): Promise<void>;
  remove(txnId: string): Promise<void>;
  close(): void;
}

const TABLE = "unsent";

export function unsentDatabase(deviceId: string): string {
  return `parley-unsent-${deviceId}`;
}

/** How many messages are kept for the device, which takes no key to see. None where nothing can be stored. */
export async function countUnsent(deviceId: string): Promise<number> {
  try {
    const database = await openDatabase(unsentDatabase(deviceId));
    const count = await settled(database.transaction(TABLE, "readonly").objectStore(TABLE).count());
    database.close();
    return count;
  } catch {
    return 0;
  }
}

/** Opens the store of a device. `deviceKey`: the key of its crypto store. */
export async function openUnsent(deviceId: string, deviceKey: Uint8Array): Promise<UnsentStore> {
  const [database, sealer] = await Promise.all([
    openDatabase(unsentDatabase(deviceId)),
    sealerOf(deviceKey, "parley unsent messages"),
  ]);
  const table = (mode: IDBTransactionMode) => database.transaction(TABLE, mode).objectStore(TABLE);
  /** Rows are numbered in their order, and nothing of a message is outside of its seal. */
  const numbers = new Map<string, IDBValidKey>();
  return {
    async all() {
      const rows = await readAll(table("readonly"));
      const opened = await Promise.all(rows.map(([number, sealed]) => openRow(sealer, number, sealed)));
      const found = opened.filter((each) => each !== null);
      for (const { number, unsent } of found) numbers.set(unsent.txnId, number);
      return found.map(({ unsent }) => unsent);
    },
    async put(unsent) {
      const sealed = await sealer.seal(await toRow(unsent));
      numbers.set(unsent.txnId, await written(table("readwrite"), (to) => to.put(sealed, numbers.get(unsent.txnId))));
    },
    async remove(txnId) {
      const number = numbers.get(txnId);
      numbers.delete(txnId);
      if (number !== undefined) await written(table("readwrite"), (from) => from.delete(number));
    },
    close: () => database.close(),
  };
}

async function readAll(table: IDBObjectStore): Promise<[number: IDBValidKey, sealed: Sealed][]> {
  const [numbers, rows] = await Promise.all([settled(table.getAllKeys()), settled<Sealed[]>(table.getAll())]);
  return numbers.map((number, index) => [number, rows[index] as Sealed]);
}

async function openRow(sealer: Sealer, number: IDBValidKey, sealed: Sealed) {
  try {
    return { number, unsent: fromRow(await sealer.openBytes(sealed)) };
  } catch {
    return null;
  }
}

const LINE_END = "\n".charCodeAt(0);

/** A line of JSON, which has no line break in itself, and after one the bytes of a file. */
async function toRow({ upload, ...unsent }: Unsent): Promise<string | Uint8Array<ArrayBuffer>> {
  if (!upload) return JSON.stringify(unsent);
  const { file, ...rest } = upload;
  const head = JSON.stringify({ ...unsent, upload: { ...rest, name: file.name, type: file.type } });
  return new Uint8Array(await new Blob([head, "\n", file]).arrayBuffer());
}

interface Head extends Omit<Unsent, "upload"> {
  upload?: Omit<UnsentFile, "file"> & { name: string; type: string };
}

function fromRow(row: Uint8Array<ArrayBuffer>): Unsent {
  const end = row.indexOf(LINE_END);
  const { upload, ...unsent } = JSON.parse(new TextDecoder().decode(end === -1 ? row : row.subarray(0, end))) as Head;
  if (!upload) return unsent;
  const { name, type, ...rest } = upload;
  return { ...unsent, upload: { ...rest, file: new File([row.subarray(end + 1)], name, { type }) } };
}

async function openDatabase(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1);
  request.addEventListener("upgradeneeded", () => request.result.createObjectStore(TABLE, { autoIncrement: true }));
  const database = await settled(request);
  // Who signs out in another tab deletes it, and must not wait for this one.
  database.addEventListener("versionchange", () => database.close());
  return database;
}

/** Resolves once it is on the disk: an act that went well is undone where the disk is full when all is written. */
function written<T>(table: IDBObjectStore, act: (table: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const { transaction } = table;
  const request = act(table);
  return new Promise((resolve, reject) => {
    const fail = () => reject(transaction.error ?? request.error ?? new Error("the browser's storage failed"));
    transaction.addEventListener("complete", () => resolve(request.result));
    transaction.addEventListener("abort", fail);
  });
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error ?? new Error("the browser's storage failed")));
  });
}
