/** Questions to the operator API, kept and asked anew by TanStack Query. */
import { QueryClient, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { call, Problem, type Query } from "../api.ts";

/** Once more where the server was away or failed; what it refuses it will refuse again. */
function shouldRetry(count: number, error: Error): boolean {
  return count < 1 && !(error instanceof Problem && error.status < 500);
}

export const client = new QueryClient({
  defaultOptions: {
    queries: {
      retry: shouldRetry,
      staleTime: 10_000,
      gcTime: 5 * 60_000,
      refetchOnWindowFocus: true,
      networkMode: "always",
    },
    mutations: { networkMode: "always" },
  },
});

export interface AnswerOptions {
  query?: Query;
  /** Asks again after this time for as long as the screen stands. */
  every_ms?: number;
  /** False where there is nothing to ask yet. */
  enabled?: boolean;
}

/** One answer. */
export function useAnswer<T>(path: string, { query = {}, every_ms, enabled = true }: AnswerOptions = {}) {
  return useQuery({
    queryKey: [path, query],
    queryFn: ({ signal }) => call<T>(path, { query, signal }),
    enabled,
    refetchInterval: every_ms ?? false,
  });
}

export interface ListPage<T> {
  items: T[];
  next?: string;
  total?: number;
}

/** How many rows one request brings. */
export const PAGE_ROWS = 200;

/** A list in pages; each page says where the next one begins, so rows that come and go meanwhile move nothing. */
export function useList<T>(path: string, { query = {}, enabled = true, every_ms }: AnswerOptions = {}) {
  return useInfiniteQuery({
    queryKey: [path, "list", query],
    queryFn: ({ pageParam, signal }) =>
      call<ListPage<T>>(path, { query: { ...query, limit: PAGE_ROWS, from: pageParam || undefined }, signal }),
    initialPageParam: "",
    getNextPageParam: (last) => last.next,
    enabled,
    // Whoever has scrolled on is reading: many pages are not asked for again behind their back.
    refetchInterval: ({ state }) => ((state.data?.pages.length ?? 0) <= 1 && every_ms) || false,
  });
}

/** Every row of a list, page by page, for an export. Ends after `limit` rows. */
export async function readAll<T>(path: string, query: Query, limit: number): Promise<T[]> {
  const items: T[] = [];
  let from: string | undefined;
  do {
    const page: ListPage<T> = await call<ListPage<T>>(path, { query: { ...query, limit: PAGE_ROWS, from } });
    items.push(...page.items);
    from = page.next;
  } while (from !== undefined && items.length < limit);
  return items.slice(0, limit);
}

/** What is on the screen is asked anew: after every write, since one act changes several lists. */
export function refresh(): Promise<void> {
  return client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== "session" });
}
