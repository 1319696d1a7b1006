/** The queries that one person ran: kept on this device alone, as they may hold what nobody else should read. */
import { keepList, readList } from "../../model/kept-list.ts";

export interface Past {
  cypher: string;
  parameters: string;
  at_ms: number;
}

const MOST = 100;

function keyOf(userId: string): string {
  return `parley.explorer.history ${userId}`;
}

/** The newest first. */
export function readHistory(userId: string): Past[] {
  return readList(keyOf(userId), isPast);
}

function isPast(value: unknown): value is Past {
  const { cypher, parameters, at_ms } = (value ?? {}) as Record<string, unknown>;
  return typeof cypher === "string" && typeof parameters === "string" && typeof at_ms === "number";
}

/** The same query again moves to the front. */
export function remember(userId: string, past: Past): Past[] {
  const others = readHistory(userId).filter(
    (each) => each.cypher !== past.cypher || each.parameters !== past.parameters,
  );
  return keepList(keyOf(userId), [past, ...others], MOST);
}

export function forgetHistory(userId: string): void {
  localStorage.removeItem(keyOf(userId));
}
