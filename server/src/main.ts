/** The command: reads the settings, starts the server, says where it is, and stops it when it is told to. */
import { administratorLink } from "./auth/administrator.ts";
import { readConfig } from "./config.ts";
import { StartError } from "./errors.ts";
import { lastWords, sayLastWords } from "./last-words.ts";
import { ofThisProcess, restWhenQuiet } from "./memory-at-rest.ts";
import { realSeams } from "./seams.ts";
import { type RunningServer, startServer } from "./server.ts";

/** Longer than any request may take, after the drain; then the process ends with what is stuck. */
const STOP_DEADLINE_MS = 10_000;

async function main(): Promise<void> {
  const begun_ms = performance.now();
  sayLastWords();
  const stopAsked = firstSignal();
  const config = readConfig();
  // The server's own timers keep no process: a start that waits for a database with nothing open must not end here.
  const awake = setInterval(() => {}, 60_000);
  const starting = new AbortController();
  void stopAsked.then(() => starting.abort(new StartError("The server was told to stop before it had started.")));
  const onProgress = (text: string) => console.log(`  ${text}`);
  const server = await startServer(config, { onProgress, signal: starting.signal, onForked }).finally(() =>
    clearInterval(awake),
  );
  const atRest = ofThisProcess(realSeams);
  if (atRest) restWhenQuiet(atRest);
  await sayWhere(server, performance.now() - begun_ms);
  await stopAsked;
  console.log("  stopping");
  const deadline = setTimeout(() => {
    console.error("The server did not stop within 10 s; what was acknowledged is safe.");
    process.exit(1);
  }, config.drain_ms + STOP_DEADLINE_MS);
  await server.stop();
  clearTimeout(deadline);
}

/** What is in memory is of no use any more, and whoever is connected must begin anew elsewhere. */
function onForked(): void {
  console.error(
    "The database that took over does not have all that this process has told: it ends, and must be started again.",
  );
  process.exit(1);
}

async function sayWhere({ ctx, url }: RunningServer, took_ms: number): Promise<void> {
  const address = ctx.publicUrl() || url;
  console.log(`\nParley is ready at ${address} (${(took_ms / 1_000).toFixed(1)} s)`);
  const link = await administratorLink(ctx);
  if (link) console.log(`\nMake the first administrator with this link; it works once:\n  ${link}`);
  console.log("\nCtrl-C stops it.");
}

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once. */
function firstSignal(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    const onSignal = () => {
      if (asked) process.exit(1);
      asked = true;
      resolve();
    };
    process.on("SIGINT", onSignal);
    process.on("SIGTERM", onSignal);
  });
}

main().catch((thrown: unknown) => {
  if (thrown instanceof StartError) console.error(`\n${thrown.message}`);
  else console.error(lastWords(thrown, "start or stop"));
  process.exitCode = 1;
});
