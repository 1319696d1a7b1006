/** One act on many things: each succeeds or fails by itself, and the answer says which. */
import { z } from "zod";
import { asError, MatrixError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { Change } from "../operation.ts";

export const outcome = z.object({
  ok: z.boolean(),
  errcode: z.string().optional(),
  error: z.string().optional(),
});

export const userIds = z.array(z.string().min(1).max(limits.identifier_bytes)).min(1).max(limits.bulk_items);

interface Bulk<T> {
  things: readonly T[];
  /** What the audit log calls one. */
  target(thing: T): string;
  audit(change: Change): void;
}

/** Runs `act` for each, one after the other. What nobody expected is thrown. */
export async function each<T extends object>(
  { things, target, audit }: Bulk<T>,
  act: (thing: T) => Promise<unknown>,
): Promise<(T & z.output<typeof outcome>)[]> {
  const done = [];
  for (const thing of things)
    try {
      await act(thing);
      done.push({ ...thing, ok: true });
    } catch (thrown) {
      if (!(thrown instanceof MatrixError)) throw asError(thrown);
      audit({ target: target(thing), error: thrown.errcode });
      done.push({ ...thing, ok: false, errcode: thrown.errcode, error: thrown.message });
    }
  return done;
}
