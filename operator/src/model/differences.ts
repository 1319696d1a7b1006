/** What an act changed: the members of two JSON values, side by side. */

export interface Difference {
  /** Where it is: `a.b.0`; empty for the value itself. */
  name: string;
  before: string | null;
  after: string | null;
}

/** Every member of either value. Null where it is not there; what is the same on both sides is there too, for its surroundings. */
export function differences(before: unknown, after: unknown): Difference[] {
  const [old, next] = [flat(before), flat(after)];
  const names = new Set([...old.keys(), ...next.keys()]);
  // What became empty, or was: what went or came is told by its own lines.
  for (const name of names)
    if (isEmpty(old.get(name) ?? next.get(name)) && [...names].some((other) => other.startsWith(`${name}.`)))
      names.delete(name);
  return [...names].map((name) => ({ name, before: old.get(name) ?? null, after: next.get(name) ?? null }));
}

function isEmpty(text: string | undefined): boolean {
  return text === "[]" || text === "{}";
}

function flat(value: unknown, name = ""): Map<string, string> {
  if (value === null || value === undefined) return name === "" ? new Map() : new Map([[name, "null"]]);
  if (typeof value !== "object") return new Map([[name, typeof value === "string" ? value : JSON.stringify(value)]]);
  const members = Object.entries(value);
  if (members.length === 0) return new Map([[name, Array.isArray(value) ? "[]" : "{}"]]);
  return new Map(members.flatMap(([key, member]) => [...flat(member, name === "" ? key : `${name}.${key}`)]));
}
