/** `parley backup send` and `parley backup fetch`: backups in an object store. */
import { resolve } from "node:path";
import { newestIn } from "../backup/dated.ts";
import { fetchBackup, sendBackup } from "../backup/remote.ts";
import type { ObjectStore } from "../blobs/object-store.ts";
import { openStore } from "../blobs/open.ts";
import { StartError } from "../errors.ts";
import type { Call, Command } from "./command.ts";

const STORE = `The store is that of STORAGE_PROVIDER and its settings: for this command those of the backups, which should not be where
the uploads are, with keys of their own.`;

/** Whether the folder that was named has dated backups in it, of which the newest is meant. */
export const newest = { kind: "flag", doc: "The newest of the dated backups in the folder." } as const;

/** The folder of a backup that was typed. Throws StartError where the newest is wanted and there is none. */
export async function folderOf({ arguments: [folder = ""], options }: Pick<Call, "arguments" | "options">) {
  return options["newest"] === true ? newestIn(resolve(folder)) : resolve(folder);
}

export const backupSend: Command = {
  name: "backup send",
  summary: "Sends a backup to an object store.",
  help: `${STORE}
Its files are below backups/ and the folder's name there, the manifest last; uploaded files are kept once for all backups, so that
what is there is not sent again. How long they stay is the bucket's rule: expire what is below backups/20, and not backups/blobs.`,
  arguments: [{ name: "folder", doc: "What parley backup wrote", isRequired: true }],
  options: { newest },
  run: (call) =>
    withStore(call, async (store) => {
      const { name, newBlobs } = await sendBackup(await folderOf(call), store);
      return {
        ok: true,
        data: { name, newFiles: newBlobs },
        text: `${store.name} has the backup ${name}; ${newBlobs} uploaded files were new to it.`,
      };
    }),
};

export const backupFetch: Command = {
  name: "backup fetch",
  summary: "Brings a backup out of an object store into a new folder.",
  help: `${STORE}
Every file is compared with the manifest while it arrives. Then run "parley restore" with the folder.`,
  arguments: [
    { name: "name", doc: "As parley backup send said it, or newest", isRequired: true },
    { name: "folder", doc: "Where to; it must be missing or empty", isRequired: true },
  ],
  run: (call) =>
    withStore(call, async (store) => {
      const [wanted = "", folder = ""] = call.arguments;
      const name = await fetchBackup(wanted, resolve(folder), store);
      return {
        ok: true,
        data: { name, folder: resolve(folder) },
        text: `The backup ${name} is in ${resolve(folder)}.`,
      };
    }),
};

async function withStore<T>({ config, seams }: Call, use: (store: ObjectStore) => Promise<T>): Promise<T> {
  const { storage } = config();
  if (storage.provider === "filesystem")
    throw new StartError("STORAGE_PROVIDER is not set: a backup is sent to s3, minio, azure_blob or gcs.");
  const store = await openStore(storage, seams);
  try {
    return await use(store);
  } finally {
    store.close();
  }
}
