// A fetch that lets nothing pass which the specification does not allow, and remembers what it saw.

import type { Checker, SeenResponse } from "./checker.ts";
import type { Operation } from "./operations.ts";

/** One answer of one operation, and how often it was seen. */
export type Covered = { operationId: string; status: number; count: number };

export type CheckingFetch = {
  /** Use it in place of `fetch`; the SDK takes it as `fetchFn`. */
  fetch: typeof fetch;
  /** The answers seen so far that belong to operations of the specification. */
  covered(): Covered[];
  /** Every response so far that the specification does not allow. */
  violations(): Error[];
};

export type CheckingFetchOptions = {
  /**
   * What to do with a response that the specification does not allow, beside remembering it. The default throws in
   * place of the response. A client that takes a thrown error for a bad network, and retries, needs another choice:
   * do nothing here and assert in the end that `violations()` is empty.
   */
  onViolation?: (error: Error) => void;
};

/**
 * Wraps `baseFetch`. The body of a JSON answer is read from a copy, so the caller's own stays unread; media and streams
 * pass untouched. An answer whose request was aborted while its body came is not checked.
 */
export function checkingFetch(
  baseFetch: typeof fetch,
  checker: Checker,
  options: CheckingFetchOptions = {},
): CheckingFetch {
  const seen = new Map<string, Covered>();
  const violations: Error[] = [];
  const onViolation = options.onViolation ?? rethrow;

  const check = (response: SeenResponse): void => {
    try {
      remember(seen, checker.checkResponse(response), response.status);
    } catch (error) {
      const violation = error instanceof Error ? error : new Error(String(error));
      violations.push(violation);
      onViolation(violation);
    }
  };

  const checked: typeof fetch = async (input, init) => {
    const response = await baseFetch(input, init);
    const { method, path } = requestOf(input, init);
    if (method === "OPTIONS" || method === "HEAD") return response;
    const body = await bodyOf(response, checker.expectsJson({ method, path, status: response.status }));
    if (body !== "unreadable") check({ method, path, status: response.status, body: body.json });
    return response;
  };
  return { fetch: checked, covered: () => [...seen.values()], violations: () => [...violations] };
}

/** A table of what was covered: each operation in the specification's order, and the statuses seen of it. */
export function coverageTable(operations: Operation[], covered: Covered[]): string {
  const width = Math.max(...operations.map((each) => each.operationId.length));
  const rows = operations.map((operation) => {
    const answers = covered.filter((each) => each.operationId === operation.operationId);
    const statuses = answers.toSorted((a, b) => a.status - b.status).map((each) => `${each.status}×${each.count}`);
    return `${operation.operationId.padEnd(width)}  ${statuses.join(" ") || "–"}`;
  });
  const met = operations.filter((each) => covered.some((one) => one.operationId === each.operationId)).length;
  return [...rows, `${met} of ${operations.length} operations seen`].join("\n");
}

function rethrow(error: Error): void {
  throw error;
}

function requestOf(input: RequestInfo | URL, init: RequestInit | undefined): { method: string; path: string } {
  if (input instanceof Request) return { method: (init?.method ?? input.method).toUpperCase(), path: input.url };
  const path = input instanceof URL ? input.href : input;
  return { method: (init?.method ?? "GET").toUpperCase(), path };
}

async function bodyOf(response: Response, expectsJson: boolean): Promise<{ json: unknown } | "unreadable"> {
  const isJson = /^application\/json\b/i.test(response.headers.get("content-type") ?? "");
  if (!expectsJson || !isJson) return { json: undefined };
  let text: string;
  try {
    text = await response.clone().text();
  } catch {
    // Aborted, or cut: the caller meets the same error at its own copy.
    return "unreadable";
  }
  try {
    return { json: JSON.parse(text) as unknown };
  } catch {
    return { json: undefined };
  }
}

function remember(seen: Map<string, Covered>, operation: Operation | undefined, status: number): void {
  if (operation === undefined) return;
  const key = `${operation.operationId} ${status}`;
  const known = seen.get(key) ?? { operationId: operation.operationId, status, count: 0 };
  known.count += 1;
  seen.set(key, known);
}
