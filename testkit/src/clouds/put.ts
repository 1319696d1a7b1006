// A process that puts a blob into the store of its settings, to be killed on the way: `put.ts <data directory> <bytes> <seed>`.

import { openBlobs } from "../../../server/src/blobs/open.ts";
import { inPieces, someBytes } from "../../../server/src/blobs/conformance.ts";
import { readConfig } from "../../../server/src/config.ts";
import { realSeams } from "../../../server/src/seams.ts";

const [dataDir = "", size = "0", seed = ""] = process.argv.slice(2);
const { storage } = readConfig();
const blobs = await openBlobs({ storage, dataDir, seams: realSeams, logger: console });
await blobs.put(inPieces(someBytes(Number(size), seed)), { max_bytes: Number(size) });
await blobs.close();
