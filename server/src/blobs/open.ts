/** The one place that chooses the store of media. What a store needs is loaded only where it is wanted. */
import { join } from "node:path";
import { asError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Logger } from "../logger.ts";
import type { Seams } from "../seams.ts";
import type { Blobs } from "./blobs.ts";
import type { Storage } from "./config.ts";
import type { ObjectStore } from "./object-store.ts";

export interface BlobsOptions {
  storage: Storage;
  /** Of this process: blobs, or files in which uploads arrive, are in the folder `media` of it. */
  dataDir: string;
  seams: Seams;
  logger: Pick<Logger, "warn">;
}

/** Opens the store that is set, and sweeps it now and every hour. It asks nothing of an object store yet: `probe` does. */
export async function openBlobs(options: BlobsOptions): Promise<Blobs> {
  const { seams, logger } = options;
  const blobs = await openUnswept(options);
  const sweep = () =>
    blobs.sweep().catch((thrown: unknown) => {
      logger.warn({ reason: asError(thrown).message }, "abandoned uploads could not be cleared away");
    });
  void sweep();
  const sweeping = seams.every(limits.blobSweep_ms, () => void sweep());
  return {
    ...blobs,
    async close() {
      sweeping.cancel();
      await blobs.close();
    },
  };
}

async function openUnswept({ storage, dataDir, seams }: BlobsOptions): Promise<Blobs> {
  const folder = join(dataDir, "media");
  if (storage.provider === "filesystem") {
    const { openFilesystemBlobs } = await import("./filesystem.ts");
    return openFilesystemBlobs(folder, seams);
  }
  const { openObjectBlobs } = await import("./objects.ts");
  return openObjectBlobs({ store: await openStore(storage, seams), spoolFolder: join(folder, "incoming"), seams });
}

/** The object store alone. */
export async function openStore(
  storage: Exclude<Storage, { provider: "filesystem" }>,
  seams: Seams,
): Promise<ObjectStore> {
  switch (storage.provider) {
    case "s3": {
      const { openS3 } = await import("./s3.ts");
      return openS3({ ...storage, credentials: storage.keys, seams });
    }
    case "azure_blob": {
      const { openAzure } = await import("./azure.ts");
      const { azureTokens } = await import("../cloud/azure-identity.ts");
      const { key, identity } = storage;
      return openAzure({ ...storage, access: key ? { key } : { tokens: azureTokens(identity, seams) }, seams });
    }
    case "gcs": {
      const { openGcs } = await import("./gcs.ts");
      const { googleTokens } = await import("../cloud/google-identity.ts");
      return openGcs({ ...storage, token: googleTokens(storage.keyFile), seams });
    }
  }
}
