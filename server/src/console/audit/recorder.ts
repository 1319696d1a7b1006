/** Keeps what one operation says that it changed, and writes it down when the act is done, or with it. */
import type { Context } from "../../context.ts";
import { asError, MatrixError } from "../../errors.ts";
import type { Change, OperationRequest } from "../operation.ts";
import { type Act, appendAudit, tellAudit, writeAudit, type Written } from "./append.ts";

export interface Recorder extends Pick<OperationRequest, "audit" | "transact"> {
  /** Writes what was changed, or that it was done where nothing was said of it. Throws where it can not: then nobody is told of success. */
  done(): Promise<void>;
  /**
   * Writes what was changed before it failed, and that it failed, where no change was told with this error. What failed is what is
   * told, so this throws nothing.
   */
  failed(thrown: unknown): Promise<void>;
}

export function openRecorder(ctx: Context, act: Omit<Act, "outcome">): Recorder {
  let changes: Change[] = [];
  let isRecorded = false;

  function take(): Act[] {
    const taken = changes;
    changes = [];
    return taken.map((change) =>
      change.error === undefined
        ? { ...act, outcome: "done", change }
        : { ...act, outcome: "failed", error: change.error, change },
    );
  }

  const orItself = (acts: Act[]): Act[] => (acts.length > 0 ? acts : [{ ...act, outcome: "done" }]);

  return {
    audit: (change) => void changes.push(change),
    async transact(run) {
      // What was done before stays done, and to be written, where this is undone; what was told within goes with it.
      const before = changes;
      changes = [];
      const written: Written[] = [];
      try {
        const result = await ctx.db.console.transaction(async (db) => {
          const given = await run(db);
          // Last, so that other writers wait for nothing but the commit.
          for (const each of orItself(take())) written.push(await writeAudit(db, each));
          return given;
        });
        isRecorded = true;
        tellAudit(ctx, written);
        return result;
      } finally {
        changes = before;
      }
    },
    async done() {
      const acts = take();
      await appendAudit(ctx, isRecorded ? acts : orItself(acts));
    },
    async failed(thrown) {
      const error = thrown instanceof MatrixError ? thrown.errcode : "M_UNKNOWN";
      try {
        const acts = take();
        const isTold = acts.some((each) => each.outcome === "failed" && each.error === error);
        await appendAudit(ctx, isTold ? acts : [...acts, { ...act, outcome: "failed", error }]);
      } catch (failure) {
        ctx.logger.error({ err: asError(failure), action: act.action }, "a failed act is missing in the audit log");
      }
    },
  };
}
