// A process that works on billing until nothing is left to do, and that ends or stands still at the step that it is told: what a crash
// or a paused machine looks like from outside. `node billing-process.ts <database> <Stripe> <step> <signal> <lease in ms>`; it prints
// each step, and "done".

import { realSeams } from "../../server/src/seams.ts";
import { openWorker } from "../../server/src/billing/worker.ts";
import { billedBy, openTestDatabase } from "./billing.ts";

const [databaseUrl = "", stripeUrl = "", at = "0", signal = "SIGKILL", lease_ms = "300"] = process.argv.slice(2);
const db = openTestDatabase(databaseUrl);
let steps = 0;
const worker = openWorker({
  db,
  config: {
    ...billedBy({ secretKey: "sk_test_parley", webhookSecret: "whsec_parley", url: stripeUrl }),
    handles: true,
    replays: true,
  },
  serverName: "localhost",
  seams: realSeams,
  logger: { warn: (...said: unknown[]) => console.log("warning", ...said), info: () => {} },
  lease_ms: Number(lease_ms),
  reached(step) {
    steps += 1;
    process.stdout.write(`${step}\n`);
    if (steps === Number(at)) process.kill(process.pid, signal);
  },
});
const held = await worker.turn();
console.log(held ? "done" : "the lease is lost");
await worker.leave();
await db.close();
