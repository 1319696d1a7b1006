/** Queries whose rows come while they run, and files that are sent and answered line by line. */
import { callStream, Problem } from "../../api.ts";
import type { Result } from "./shapes.ts";

export interface Asked {
  path: string;
  body: unknown;
  query?: Record<string, string>;
  signal: AbortSignal;
}

/** Gives each line as soon as it is there. Throws Problem for the line that tells an error, and for an answer that broke off. */
export async function* linesOf<L extends object>({
  path,
  body,
  query,
  signal,
}: Asked): AsyncGenerator<L, void, undefined> {
  const response = await callStream(path, { method: "POST", body, query, signal });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = (await reader?.read()) ?? { value: undefined, done: true };
    const lines = (rest + (value ?? "")).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield parsed<L>(line);
    if (done) break;
  }
  if (rest !== "") yield parsed<L>(rest);
}

function parsed<L extends object>(line: string): L {
  const part = JSON.parse(line) as L & { error?: Record<string, unknown> };
  if (part.error) throw new Problem(400, part.error);
  return part;
}

type Part = { columns: string[] } | Pick<Result, "rows"> | { done: NonNullable<Result["done"]> };

/** Runs a query, and tells the result as it grows. Throws Problem. */
export async function runQuery(asked: Asked, onResult: (result: Result) => void): Promise<Result> {
  let result: Result = { columns: [], rows: [] };
  for await (const part of linesOf<Part>(asked)) {
    if ("columns" in part) result = { ...result, columns: part.columns };
    else if ("rows" in part) result = { ...result, rows: [...result.rows, ...part.rows] };
    else result = { ...result, done: part.done };
    onResult(result);
  }
  if (!result.done) throw new Error("The answer broke off before its end.");
  return result;
}
