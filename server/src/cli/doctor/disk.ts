/** The disk of PARLEY_DATA_DIR: the embedded database, and files that are kept or on their way. */
import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { Check, Finding } from "./finding.ts";

const WARNING_PART = 0.15;
const FAILURE_PART = 0.05;

export const disk: Check = {
  name: "disk",
  look: async ({ dataDir }) => [judge(dataDir, await space(dataDir))],
};

interface Space {
  free_bytes: number;
  total_bytes: number;
}

/** Of the folder, or of the first above it that is there. */
async function space(folder: string): Promise<Space> {
  try {
    const { bsize, bavail, blocks } = await statfs(folder);
    return { free_bytes: bsize * bavail, total_bytes: bsize * blocks };
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "ENOENT" || dirname(folder) === folder) throw thrown;
    return space(dirname(folder));
  }
}

export function judge(folder: string, { free_bytes, total_bytes }: Space): Finding {
  const part = total_bytes === 0 ? 0 : free_bytes / total_bytes;
  const says = `${(free_bytes / 1e9).toFixed(1)} GB of ${(total_bytes / 1e9).toFixed(1)} GB are free where ${folder} is.`;
  if (part >= WARNING_PART) return { check: "disk", state: "ok", says };
  const fix = "Make the disk larger, or move PARLEY_DATA_DIR: on a full disk nothing can be sent or uploaded.";
  return { check: "disk", state: part < FAILURE_PART ? "failure" : "warning", says, fix };
}
