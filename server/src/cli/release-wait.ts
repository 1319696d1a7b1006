/** `parley release wait`: what stands before a process whose database somebody else migrates. */
import { StartError } from "../errors.ts";
import { limits } from "../limits.ts";
import { waitForSchema } from "../db/schema.ts";
import { type Command, milliseconds } from "./command.ts";

export const releaseWait: Command = {
  name: "release wait",
  summary: "Waits until the database has the schema of this version; refuses one that is too new.",
  help: `Ends with 0 as soon as every migration of this version is there, which is at once on most starts. A database that is away is
waited for too. A schema with a migration that this version neither knows nor may run beside is refused at once, with the
name of the migration. Reads only. The same wait is part of a start with PARLEY_MIGRATE=wait.`,
  options: {
    "timeout-s": {
      kind: "seconds",
      doc: `How long to wait: ${limits.schemaWait_ms / 1_000} s by default. 0 looks once.`,
    },
  },
  async run(call) {
    const { databaseUrl: url } = call.config();
    if (url === undefined)
      throw new StartError(
        "With the embedded database there is nothing to wait for: the start migrates. Set DATABASE_URL.",
      );
    const timeout_ms = milliseconds(call, "timeout-s", limits.schemaWait_ms / 1_000);
    const begun_ms = call.seams.monotonic_ms();
    await waitForSchema({ url, seams: call.seams, timeout_ms, onProgress: call.say });
    const waited_ms = Math.round(call.seams.monotonic_ms() - begun_ms);
    return { ok: true, data: { waited_ms }, text: "The database has the schema of this version." };
  },
};
