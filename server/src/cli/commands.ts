/** Every command, in the order of the help. */
import { backup } from "./backup.ts";
import { backupFetch, backupSend } from "./backup-store.ts";
import type { Command } from "./command.ts";
import { doctor } from "./doctor.ts";
import { operationCommands } from "./operations.ts";
import { preflight } from "./preflight.ts";
import { releaseDb } from "./release-db.ts";
import { releaseStatus } from "./release-status.ts";
import { releaseWait } from "./release-wait.ts";
import { restoreCommand, restoreDrill, restoreEpoch, restoreVerify } from "./restore.ts";
import { rotateBusCommand, rotateDatabaseCommand } from "./rotate.ts";
import { rotateMasterKeyCommand } from "./rotate-master-key.ts";

export const commands: readonly Command[] = [
  releaseDb,
  releaseWait,
  releaseStatus,
  preflight,
  doctor,
  backup,
  backupSend,
  backupFetch,
  restoreCommand,
  restoreVerify,
  restoreDrill,
  restoreEpoch,
  rotateDatabaseCommand,
  rotateBusCommand,
  rotateMasterKeyCommand,
  ...operationCommands,
];
