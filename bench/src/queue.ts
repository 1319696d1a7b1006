// How the rate grows with the number of workers that take sends out of a queue:
//
//   node bench/src/queue.ts [--adapter rabbitmq] [--messages 8000] [--distance 200] [--runs 3] [--workers 1,2,3] [--json]
//
// Prints a table; with --json, for each number of workers the list of runs. With --distance 0 the database is on this machine, and
// so is everything else: then what is measured is how the processors of one machine are shared. With a distance in milliseconds
// workers wait for the database, as they do in a cluster.

import { parseArgs } from "node:util";
import { type Drained, openQueueLoad, type QueueAdapter, queueAdapters } from "./queue-load.ts";
import { medianBy } from "./samples.ts";

const { values } = parseArgs({
  options: {
    adapter: { type: "string", default: "rabbitmq" },
    messages: { type: "string", default: "8000" },
    distance: { type: "string", default: "200" },
    runs: { type: "string", default: "3" },
    workers: { type: "string", default: "1,2,3" },
    json: { type: "boolean", default: false },
  },
});

const adapter = queueAdapters.find((each) => each === values.adapter);
if (!adapter) throw new Error(`--adapter ${values.adapter}: there are ${queueAdapters.join(" and ")}`);
process.stdout.write(await measure(adapter));

async function measure(adapter: QueueAdapter): Promise<string> {
  const counts = values.workers.split(",").map(Number);
  const [messages, distance_ms, runs] = [values.messages, values.distance, values.runs].map(Number) as [
    number,
    number,
    number,
  ];
  await using load = await openQueueLoad({ adapter, distance_ms });
  const rates = new Map<number, Drained[]>(counts.map((workers) => [workers, []]));
  // In turns, so that what else the machine does falls on all of them.
  for (let run = 0; run < runs; run++)
    for (const workers of counts) {
      process.stderr.write(`run ${run + 1}/${runs}, ${workers} workers\n`);
      rates.get(workers)?.push(await load.drain(workers, messages));
    }
  if (values.json) return `${JSON.stringify([...rates.values()])}\n`;
  const lines = [...rates].map(([workers, all]) => {
    const { rate, cpu_us } = medianBy(all, (each) => each.rate);
    const cpu = [cpu_us.workers, cpu_us.broker, cpu_us.database].map(Math.round).join(" / ");
    return `| ${workers} | ${Math.round(rate)} | ${all.map((each) => Math.round(each.rate)).join(", ")} | ${cpu} |`;
  });
  const head = `${adapter}, ${messages} messages, the database ${distance_ms} ms away\n\n`;
  const columns =
    "| workers | entries/s | runs | CPU µs of an entry: workers / broker / PostgreSQL |\n|---|---|---|---|\n";
  return `${head}${columns}${lines.join("\n")}\n`;
}
