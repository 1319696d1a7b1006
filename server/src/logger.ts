/** Structured logs: one JSON object a line on standard error. Tokens, passwords and bodies never go into them. */
import { write, writeSync } from "node:fs";
import { pino, type Logger } from "pino";
import { realSeams } from "./seams.ts";

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
    (standardError ??= openStandardError()),
  );
}

let standardError: { write(line: string): void } | undefined;

const STANDARD_ERROR = 2;
/** What waits for a standard error that takes nothing: beyond it lines are lost, and the process goes on. */
const WAITING_CHARACTERS = 4_194_304;
const PIECE_CHARACTERS = 4_096;
const AGAIN_MS = 100;
const END_TRIES = 100;
const END_PAUSE_MS = 10;

/**
 * Lines are written after the turn of the loop in which they came, beside what the process does. Where they can not be written, on a full
 * disk for example, they are lost; what comes later is tried anew. What waits when the process exits is written then.
 */
function openStandardError(): { write(line: string): void } {
  const waiting: string[] = [];
  let waiting_characters = 0;
  let isWriting = false;

  /** Whole lines: a pipe takes what is no longer than this in one piece, whatever is written to it beside. */
  function take(most_characters = PIECE_CHARACTERS): Buffer {
    let [count, characters] = [0, 0];
    do characters += waiting[count++]?.length ?? 0;
    while (count < waiting.length && characters + (waiting[count]?.length ?? 0) <= most_characters);
    waiting_characters -= characters;
    return Buffer.from(waiting.splice(0, count).join(""));
  }

  function writeOn(bytes: Buffer): void {
    write(STANDARD_ERROR, bytes, (error, written) => {
      if (error?.code === "EAGAIN") return void realSeams.after(AGAIN_MS, () => writeOn(bytes));
      if (!error && written < bytes.length) return writeOn(bytes.subarray(written));
      isWriting = waiting.length > 0;
      if (isWriting) writeOn(take());
    });
  }

  process.on("exit", () => writeNow(take(Infinity)));
  return {
    write(line) {
      if (waiting_characters + line.length > WAITING_CHARACTERS) return;
      waiting.push(line);
      waiting_characters += line.length;
      if (isWriting) return;
      isWriting = true;
      setImmediate(() => writeOn(take()));
    },
  };
}

/** For the end of the process. It does not wait for long where nothing is taken, and not at all where nothing can be. */
export function writeNow(bytes: Buffer): void {
  for (let [rest, tries] = [bytes, 0]; rest.length > 0 && tries < END_TRIES;) {
    try {
      rest = rest.subarray(writeSync(STANDARD_ERROR, rest));
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== "EAGAIN") return;
      tries += 1;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, END_PAUSE_MS);
    }
  }
}
