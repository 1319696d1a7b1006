/** `parley rotate database` and `parley rotate bus` as commands. */
import type { Command } from "./command.ts";
import { milliseconds } from "./command.ts";
import type { Logger } from "../logger.ts";
import { openMasterKeys } from "../secrets/master-keys.ts";
import { rotateBus } from "./rotate-bus.ts";
import { rotateDatabase } from "./rotate-database.ts";

export const rotateDatabaseCommand: Command = {
  name: "rotate database",
  summary: "Gives the database user of DATABASE_URL a new password, while everything runs.",
  help: `DATABASE_URL must name a file (file:///…), which every process reads. The file has both addresses for a while; no request
fails, and nobody is signed out. Cut short, the next rotation goes on from there. See docs/operations/secrets.md.`,
  options: {
    "wait-s": {
      kind: "seconds",
      doc: "How long the file may take to reach every process. 0 by default: all read the same file.",
    },
  },
  run: (call) =>
    withSteps((say) =>
      rotateDatabase({
        address: call.config().databaseUrl,
        wait_ms: milliseconds(call, "wait-s", 0),
        seams: call.seams,
        say: (text) => (call.say(text), say(text)),
      }),
    ),
};

export const rotateBusCommand: Command = {
  name: "rotate bus",
  summary: "Makes a new key for what leaves for Redis, NATS or RabbitMQ. It takes 20 s.",
  help: `The next key is published, then used, and the one before is retired, with 10 s between the steps: no packet is sealed with a
key that somebody does not have. See docs/operations/secrets.md.`,
  async run(call) {
    const { databaseUrl: address, secrets } = call.config();
    const { seams } = call;
    const warn = ({ reason }: { reason: string }) => call.say(reason);
    const masterKeys = await openMasterKeys({ config: secrets, seams, logger: { warn } as Pick<Logger, "warn"> });
    const rotation = { address, seams, masterKeys };
    return withSteps((say) => rotateBus({ ...rotation, say: (text) => (call.say(text), say(text)) })).finally(() =>
      masterKeys?.close(),
    );
  },
};

/** The outcome tells the steps again, for programs. */
async function withSteps(rotate: (say: (text: string) => void) => Promise<void>) {
  const steps: string[] = [];
  await rotate((text) => steps.push(text));
  return { ok: true, data: { steps } };
}
