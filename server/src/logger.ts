/** Structured logs: one JSON object a line on standard error. Tokens, passwords and bodies never go into them. */
import { pino, type Logger } from "pino";

export type { Logger };

export function createLogger(level: string): Logger {
  return pino(
    {
      level,
      base: undefined,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: {
        paths: ["authorization", "*.authorization", "password", "*.password", "access_token", "*.access_token"],
        censor: "[gone]",
      },
    },
    pino.destination({ dest: 2, sync: false }),
  );
}
