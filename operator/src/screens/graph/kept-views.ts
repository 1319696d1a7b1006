/** Views that one person keeps under a name: a question, and how its answer is shown. They are on this device; a link sends one. */
import type { Search } from "../../model/search.ts";

export interface KeptView {
  name: string;
  search: Search;
}

const MOST = 50;

function keyOf(userId: string): string {
  return `parley.graph.views ${userId}`;
}

/** By their names. */
export function readViews(userId: string): KeptView[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(keyOf(userId)) ?? "[]");
    return Array.isArray(kept) ? kept.filter(isView) : [];
  } catch {
    return [];
  }
}

function isView(value: unknown): value is KeptView {
  const { name, search } = (value ?? {}) as Record<string, unknown>;
  return (
    typeof name === "string" &&
    typeof search === "object" &&
    search !== null &&
    Object.values(search).every((each) => typeof each === "string")
  );
}

/** Under a name that is there the view takes the place of the one before. */
export function keepView(userId: string, view: KeptView): KeptView[] {
  const others = readViews(userId).filter(({ name }) => name !== view.name);
  return write(
    userId,
    [...others, view].toSorted((a, b) => a.name.localeCompare(b.name)),
  );
}

export function dropView(userId: string, name: string): KeptView[] {
  return write(
    userId,
    readViews(userId).filter((each) => each.name !== name),
  );
}

function write(userId: string, views: readonly KeptView[]): KeptView[] {
  const kept = views.slice(0, MOST);
  try {
    localStorage.setItem(keyOf(userId), JSON.stringify(kept));
  } catch {
    // A full or forbidden storage keeps nothing, and stops nobody.
  }
  return kept;
}
