// A worker that dies between two of its steps: from then on it asks for nothing more.

import type { Context } from "../../server/src/context.ts";
import type { Schema } from "../../server/src/db/roles.ts";

class Killed extends Error {}

export type Death = {
  /** The number of the ask, from 1. */
  at: number;
  /** Before the database or the log hears of it, or before the answer is read. */
  when: "before" | "after";
  /** Whose asks count. With the log it is appends, and no reading. */
  of: readonly Schema[];
};

/** Does the work with a worker that dies there. Gives whether it died; whatever else goes wrong is thrown. */
export async function diesIn(ctx: Context, death: Death, work: (ctx: Context) => Promise<unknown>): Promise<boolean> {
  try {
    await work(mortal(ctx, death));
    return false;
  } catch (thrown) {
    if (!(thrown instanceof Killed)) throw thrown;
    return true;
  }
}

function mortal(ctx: Context, { at, when, of }: Death): Context {
  let asked = 0;
  const guard = <T>(ask: () => Promise<T>): Promise<T> => {
    asked += 1;
    if (asked > at || (asked === at && when === "before")) return Promise.reject(new Killed());
    return asked === at ? ask().then(() => Promise.reject(new Killed())) : ask();
  };
  const dying = (name: Schema): Context["db"][Schema] => {
    const db = ctx.db[name];
    return {
      ...db,
      query: (...args) => guard(() => db.query(...args)),
      one: (...args) => guard(() => db.one(...args)),
      change: (...args) => guard(() => db.change(...args)),
      transaction: (...args) => guard(() => db.transaction(...args)),
    };
  };
  const append: Context["log"]["append"] = (submission) => guard(() => ctx.log.append(submission));
  // A log has getters: it is not copied.
  const log = of.includes("log") ? (Object.create(ctx.log, { append: { value: append } }) as Context["log"]) : ctx.log;
  const guarded = of.filter((name) => name !== "log").map((name) => [name, dying(name)]);
  return { ...ctx, log, db: { ...ctx.db, ...(Object.fromEntries(guarded) as Partial<Context["db"]>) } };
}
