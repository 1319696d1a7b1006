/** Views that one person keeps under a name: a question, and how its answer is shown. They are on this device; a link sends one. */
import { keepList, readList } from "../../model/kept-list.ts";
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
  return readList(keyOf(userId), isView);
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
  const views = [...others, view].toSorted((a, b) => a.name.localeCompare(b.name));
  return keepList(keyOf(userId), views, MOST);
}

export function dropView(userId: string, name: string): KeptView[] {
  const others = readViews(userId).filter((each) => each.name !== name);
  return keepList(keyOf(userId), others, MOST);
}
