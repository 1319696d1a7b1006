/** Every command, in the order of the help. */
import type { Command } from "./command.ts";
import { releaseDb } from "./release-db.ts";
import { releaseStatus } from "./release-status.ts";
import { releaseWait } from "./release-wait.ts";
import { rotateBusCommand, rotateDatabaseCommand } from "./rotate.ts";

export const commands: readonly Command[] = [
  releaseDb,
  releaseWait,
  releaseStatus,
  rotateDatabaseCommand,
  rotateBusCommand,
];
