// The line between an app and the server, which can be cut.

export type Line = {
  fetch: typeof fetch;
  /** Breaks every request on its way, and each one after that, as a network that is gone does. */
  cut(): void;
  mend(): void;
  /** For an app that has ended: what it still asks for is never answered, so nothing of it tries again. */
  end(): void;
  /** Resolves when the next request to an address like this is answered. */
  answered(address: RegExp): Promise<void>;
};

/** A line over `base`. */
export function openLine(base: typeof fetch): Line {
  let cutting = new AbortController();
  let isEnded = false;
  const awaited = new Map<() => void, RegExp>();
  const tell = (address: string) => {
    for (const [resolve, wanted] of awaited) if (wanted.test(address) && awaited.delete(resolve)) resolve();
  };
  const overTheLine: typeof fetch = async (input, init) => {
    if (isEnded) return new Promise(() => {});
    const ends = init?.signal ? [cutting.signal, init.signal] : [cutting.signal];
    const response = await base(input, { ...init, signal: AbortSignal.any(ends) });
    tell(response.url);
    return response;
  };
  return {
    fetch: overTheLine,
    cut: () => cutting.abort(new TypeError("the line is cut")),
    mend: () => {
      cutting = new AbortController();
    },
    end: () => {
      isEnded = true;
    },
    answered: (address) => new Promise((resolve) => awaited.set(resolve, address)),
  };
}
