/** Keeps what one operation says that it changed, and writes it down when the act is done, or with it. */
import type { Context } from "../../context.ts";
import { asError, MatrixError } from "../../errors.ts";
import type { Change, Ending, OperationRequest } from "../operation.ts";
import { type Act, appendAudit, tellAudit, writeAudit, type Written } from "./append.ts";

export interface Recorder extends Pick<OperationRequest, "audit" | "transact" | "goesOn"> {
  /** Writes that it has begun; what is written later names that entry. Throws where it can not: then nothing was done. */
  begin(intent?: object): Promise<void>;
  /** Writes what was changed, or that it was done where nothing was said of it. Throws where it can not: then nobody is told of success. */
  done(): Promise<void>;
  /**
   * Writes what was changed before it failed, and that it failed, where no change was told with this error. What failed is what is
   * told, so this throws nothing.
   */
  failed(thrown: unknown): Promise<void>;
}

export function openRecorder(ctx: Context, of: Omit<Act, "outcome">): Recorder {
  let act = of;
  let changes: Change[] = [];
  let isRecorded = false;
  let isGoingOn = false;

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

  async function done(): Promise<void> {
    const acts = take();
    await appendAudit(ctx, isRecorded ? acts : orItself(acts));
  }

  async function failed(thrown: unknown): Promise<void> {
    const error = errcodeOf(thrown);
    try {
      const acts = take();
      const isTold = acts.some((each) => each.outcome === "failed" && each.error === error);
      await appendAudit(ctx, isTold ? acts : [...acts, { ...act, outcome: "failed", error }]);
    } catch (failure) {
      ctx.logger.error({ err: asError(failure), action: act.action }, "a failed act is missing in the audit log");
    }
  }

  return {
    audit: (change) => void changes.push(change),
    async begin(intent) {
      const change = intent && { after: intent };
      const written = await writeAudit(ctx.db.console, { ...act, outcome: "begun", change });
      tellAudit(ctx, [written]);
      act = { ...act, begun: written.position };
    },
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
    goesOn() {
      isGoingOn = true;
      return endingOf((change) => changes.push(change), { done, failed });
    },
    done: async () => (isGoingOn ? undefined : done()),
    failed: async (thrown) => (isGoingOn ? undefined : failed(thrown)),
  };
}

function endingOf(keep: (change: Change) => void, { done, failed }: Pick<Recorder, "done" | "failed">): Ending {
  let isEnded = false;
  const once = async (change: Change, write: () => Promise<void>): Promise<void> => {
    if (isEnded) return;
    isEnded = true;
    keep(change);
    await write();
  };
  return {
    done: (change) => once(change, done),
    failed: (thrown, change) => once({ ...change, error: errcodeOf(thrown) }, () => failed(thrown)),
  };
}

function errcodeOf(thrown: unknown): string {
  return thrown instanceof MatrixError ? thrown.errcode : "M_UNKNOWN";
}
