/** Structured logs: one JSON object a line on standard error. Tokens, passwords and bodies never go into them. */
import { pino, type Logger } from "pino";

export type { Logger };

/** Logs from `level` on; `ids` gives what each line says beside its own words: the trace that it belongs to. */
export function createLogger(level: string, ids?: () => object | undefined): Logger {
  return pino(
    {
      level,
      base: undefined,
      ...(ids ? { mixin: () => ids() ?? {} } : {}),
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: {
        paths: ["authorization", "*.authorization", "password", "*.password", "access_token", "*.access_token"],
        censor: "[gone]",
      },
    },
    pino.destination({ dest: 2, sync: false }),
  );
}
