import { useRef, useState } from "react";
import { pathOf, Problem } from "../../api.ts";
import { runQuery } from "./stream.ts";
import type { Result } from "./shapes.ts";

export interface Place {
  connection: string;
  graph: string;
}

export interface Ask {
  cypher: string;
  /** JSON of an object, as it was typed. */
  parameters: string;
  timeout_s: number;
  rows: number;
  /** Whether it may change the graph: for owners, after a question. */
  isWrite?: boolean;
}

export interface RunState {
  status: "idle" | "running" | "done" | "failed" | "stopped";
  result?: Result | undefined;
  error?: Error | undefined;
}

export interface QueryRun extends RunState {
  run(place: Place, asked: Ask): Promise<void>;
  stop(): void;
  clear(): void;
}

/** One query at a time: its state, and how to stop it. A stop reaches the database. */
export function useQueryRun(): QueryRun {
  const [state, setState] = useState<RunState>({ status: "idle" });
  const running = useRef<AbortController>(undefined);
  const run = async (place: Place, asked: Ask) => {
    running.current?.abort();
    const own = new AbortController();
    running.current = own;
    setState({ status: "running" });
    try {
      const body = bodyOf(place, asked);
      const path = `${graphPath(place)}/${asked.isWrite ? "write" : "query"}`;
      const result = await runQuery({ path, body, signal: own.signal }, (grown) => {
        if (running.current === own) setState({ status: "running", result: grown });
      });
      if (running.current === own) setState({ status: "done", result });
    } catch (error) {
      if (running.current !== own) return;
      if (own.signal.aborted) setState(({ result }) => ({ status: "stopped", result }));
      else setState({ status: "failed", error: error instanceof Error ? error : new Error(String(error)) });
    }
  };
  return {
    ...state,
    run,
    stop: () => running.current?.abort(),
    clear: () => setState({ status: "idle" }),
  };
}

export function graphPath({ connection, graph }: Place): string {
  return pathOf`/explorer/connections/${connection}/graphs/${graph}`;
}

/** What an operation takes. Throws where the parameters are no JSON object. */
export function bodyOf({ graph }: Place, { cypher, parameters, timeout_s, rows, isWrite }: Ask) {
  return {
    cypher,
    ...(parameters.trim() === "" ? {} : { parameters: parametersIn(parameters) }),
    timeout_s,
    rows,
    ...(isWrite ? { confirm: graph } : {}),
  };
}

export function parametersIn(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error('The parameters are no JSON: write them as {"name": "Ana"}.');
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Error('The parameters are no JSON object: write them as {"name": "Ana"}.');
  return value as Record<string, unknown>;
}

/** Whether the server refused because the query writes. */
export function isRefusedWrite(error: Error | undefined): boolean {
  return error instanceof Problem && error.fields["reason"] === "writes";
}

export function positionOf(error: Error | undefined): number | undefined {
  const position = error instanceof Problem ? error.fields["position"] : undefined;
  return typeof position === "number" ? position : undefined;
}
