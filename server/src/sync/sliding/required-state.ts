/**
 * Which state of a room a client wants: pairs of a type and a state key. `*` is any, `$ME` the person, and `$LAZY` the members whom
 * the timeline names. With `$LAZY`, a `*` in place of a type is any type but m.room.member: that is how clients ask for everything
 * but the members.
 */
import { LRUCache } from "lru-cache";
import { limits } from "../../limits.ts";

type Pair = readonly [type: string, stateKey: string];

export interface RequiredState {
  /** The same for the same pairs, in whatever order they came. */
  readonly id: string;
  readonly pairs: readonly Pair[];
  /** Pairs that name one piece of state. */
  readonly exact: readonly Pair[];
  /** Pairs that name many. */
  readonly wild: readonly Pair[];
  readonly isLazy: boolean;
}

const MEMBER = "m.room.member";
const ANY = "*";
const LAZY = "$LAZY";

/** Clients ask for the same again and again: one object for all who do. */
const known = new LRUCache<string, RequiredState>({
  maxSize: limits.slidingRequired_characters,
  sizeCalculation: ({ id }) => id.length,
});

/** What these pairs ask for, for this person. */
export function requiredState(pairs: readonly Pair[], userId?: string): RequiredState {
  const named = pairs.map(([type, key]): Pair => [type, key === "$ME" && userId !== undefined ? userId : key]);
  const unique = new Map(named.map((pair) => [JSON.stringify(pair), pair]));
  const sorted = [...unique].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const id = `[${sorted.map(([text]) => text).join(",")}]`;
  const before = known.get(id);
  if (before) return before;
  const all = sorted.map(([, pair]) => pair);
  const isLazyPair = ([type, key]: Pair) => type === MEMBER && key === LAZY;
  const isWild = ([type, key]: Pair) => type === ANY || key === ANY;
  const made: RequiredState = {
    id,
    pairs: all,
    exact: all.filter((pair) => !isWild(pair) && !isLazyPair(pair)),
    wild: all.filter(isWild),
    isLazy: all.some(isLazyPair),
  };
  known.set(id, made);
  return made;
}

/** What either asks for. */
export function unionOf(a: RequiredState, b: RequiredState): RequiredState {
  if (a.id === b.id || b.pairs.length === 0) return a;
  if (a.pairs.length === 0) return b;
  const spelled = a.isLazy === b.isLazy ? [] : membersOfWild(a.isLazy ? b : a);
  return requiredState([...a.pairs, ...b.pairs, ...spelled]);
}

/** Beside `$LAZY` a wildcard type means no members any more: what it meant alone is spelled out. */
function membersOfWild({ wild }: RequiredState): Pair[] {
  return wild.filter(([type]) => type === ANY).map(([, key]) => [MEMBER, key]);
}

/** Whether it asks for this piece of state; whom `$LAZY` names is not looked at. */
export function asksFor({ exact, wild, isLazy }: RequiredState, type: string, stateKey: string): boolean {
  if (exact.some(([ofType, key]) => ofType === type && key === stateKey)) return true;
  return wild.some(([ofType, key]) => {
    const isType = ofType === type || (ofType === ANY && !(isLazy && type === MEMBER));
    return isType && (key === ANY || key === stateKey);
  });
}

/** Whether `after` may ask for something that `before` did not. */
export function hasGrown(before: RequiredState, after: RequiredState): boolean {
  if (before.id === after.id) return false;
  const covers = ([type, key]: Pair) => {
    if (before.pairs.some((pair) => pair[0] === type && pair[1] === key))
      return type !== ANY || !before.isLazy || after.isLazy;
    return type !== ANY && key !== ANY && key !== LAZY && asksFor(before, type, key);
  };
  return !after.pairs.every((pair) => (pair[0] === MEMBER && pair[1] === LAZY) || covers(pair));
}
