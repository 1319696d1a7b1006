/** An answer that comes in pieces: into a file, or line by line as it comes, and how it ended. */
import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { asError, StartError } from "../errors.ts";
import type { Call, Outcome } from "./command.ts";

type Chunks = AsyncIterable<Uint8Array>;

/** Done is what came whole and does not say in its last line that it failed. Throws StartError where it broke off. */
export async function takeStream(call: Call, answer: Response, output: string | undefined): Promise<Outcome> {
  const body = Readable.fromWeb((answer.body ?? new ReadableStream()) as Parameters<typeof Readable.fromWeb>[0]);
  const isLines = answer.headers.get("content-type")?.startsWith("application/x-ndjson") === true;
  let last = "";
  const watched = async function* (chunks: Chunks) {
    for await (const line of linesOf(chunks)) {
      if (line !== "") last = line;
      yield `${line}\n`;
    }
  };
  let written: Outcome = { ok: true, data: {} };
  try {
    if (output !== undefined) written = await intoFile(body, output, isLines ? watched : undefined);
    else for await (const line of watched(body)) call.say(line.slice(0, -1));
  } catch (thrown) {
    throw new StartError(`The answer was not written whole: ${asError(thrown).message}`, { cause: thrown });
  }
  const failure = isLines ? failureIn(last) : undefined;
  return failure === undefined ? written : { ok: false, data: { ...written.data, ...failure }, text: failure.error };
}

async function intoFile(body: Readable, output: string, watched?: (chunks: Chunks) => AsyncIterable<string>) {
  const file = createWriteStream(output, { flags: "wx", mode: 0o600 });
  if (watched) await pipeline(body, watched, file);
  else await pipeline(body, file);
  const bytes = file.bytesWritten;
  return { ok: true, data: { file: output, bytes }, text: `${bytes} bytes are in ${output}.` };
}

async function* linesOf(chunks: Chunks): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split(/\r?\n/);
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}

interface Last {
  error?: { error?: string; errcode?: string };
  failed?: { errors?: { line: number; error: string }[] };
}

/** What the explorer's streams end with where they could not go on: the one member of the last line. */
function failureIn(line: string): { error: string } | undefined {
  let last: Last;
  try {
    last = JSON.parse(line) as Last;
  } catch {
    return undefined;
  }
  if (typeof last !== "object" || last === null || Object.keys(last).length !== 1) return undefined;
  if (typeof last.error === "object") return { ...last.error, error: last.error.error ?? "It broke off." };
  const [first] = last.failed?.errors ?? [];
  return (
    last.failed && { error: `Nothing was written. Line ${first?.line ?? "?"}: ${first?.error ?? "is not right"}.` }
  );
}
