/** Changes that come closer together than this are worked off at once. */
const BATCH_MS = 16;

/** A function that runs `work` once, soon, however often it is called before that. `stop` forgets what is pending. */
export function batched(work: () => void): { soon: () => void; stop: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const run = () => {
    timer = undefined;
    work();
  };
  return {
    soon: () => {
      timer ??= setTimeout(run, BATCH_MS);
    },
    stop: () => {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
