/**
 * Looking up names that somebody else chose. The system's resolver keeps one of a process's few threads for as long as a name's server
 * likes, so: a few names at once, each once whoever asks for it, a queue with an end, and nobody waits longer than a limit. What is
 * under way can not be stopped: it keeps its place until it ends, and the others wait behind it.
 */
import { limits } from "../limits.ts";
import type { Seams } from "../seams.ts";
import type { Lookup } from "./guard.ts";

/** Fails with the code ETIMEOUT where it takes too long, and EBUSY where too many wait already. */
export function limitedLookup(resolve: Lookup, seams: Pick<Seams, "after">): Lookup {
  const asked = new Map<string, Promise<readonly string[]>>();
  const waiting: (() => void)[] = [];
  let underWay = 0;

  async function inTurn(name: string): Promise<readonly string[]> {
    if (underWay >= limits.lookups) await new Promise<void>((begin) => waiting.push(begin));
    else underWay++;
    try {
      return await resolve(name);
    } finally {
      const next = waiting.shift();
      // Whoever is next takes over the place.
      if (next) next();
      else underWay--;
    }
  }

  return (name) => {
    let asking = asked.get(name);
    if (!asking) {
      if (waiting.length >= limits.lookupsWaiting)
        return Promise.reject(failure("EBUSY", "too many names are looked up"));
      asking = inTurn(name).finally(() => asked.delete(name));
      asked.set(name, asking);
    }
    return orLate(asking, seams);
  };
}

async function orLate<T>(asking: Promise<T>, seams: Pick<Seams, "after">): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = seams.after(limits.lookup_ms, () => reject(failure("ETIMEOUT", "the look-up took too long")));
  try {
    return await Promise.race([asking, promise]);
  } finally {
    timer.cancel();
  }
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
