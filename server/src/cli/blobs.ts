/** The store of uploaded files as a command reaches it. */
import type { Blobs } from "../blobs/blobs.ts";
import { openBlobs } from "../blobs/open.ts";
import { createLogger } from "../logger.ts";
import type { Call } from "./command.ts";
import { dataDirOf } from "./database.ts";

/** Runs `use` with the store, closes it, and gives what `use` gives. */
export async function withBlobs<T>(
  call: Pick<Call, "config" | "seams">,
  use: (blobs: Blobs) => Promise<T>,
): Promise<T> {
  const config = call.config();
  const { storage, logLevel } = config;
  const dataDir = dataDirOf(config);
  const blobs = await openBlobs({ storage, dataDir, seams: call.seams, logger: createLogger(logLevel) });
  try {
    return await use(blobs);
  } finally {
    await blobs.close();
  }
}

/** The same where the store is wanted, and with none where it is not. */
export function withBlobsIf<T>(
  wanted: boolean,
  call: Pick<Call, "config" | "seams">,
  use: (blobs: Blobs | undefined) => Promise<T>,
): Promise<T> {
  return wanted ? withBlobs(call, use) : use(undefined);
}
