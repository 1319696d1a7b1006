// Dot-separated property paths: how push rules and filters name a property of an event.
// Specification: appendices, "Dot-separated property paths".

/**
 * The property names in `path`: `content.m\.relates_to.rel_type` is `content`, `m.relates_to`, `rel_type`. A backslash
 * before a dot or a backslash makes it literal; before anything else it is itself literal, and so is the other.
 */
export function parsePropertyPath(path: string): string[] {
  const names: string[] = [];
  let name = "";
  for (let at = 0; at < path.length; at++) {
    const character = path.charAt(at);
    const next = path.charAt(at + 1);
    if (character === "\\" && (next === "." || next === "\\")) {
      name += next;
      at++;
    } else if (character === ".") {
      names.push(name);
      name = "";
    } else name += character;
  }
  names.push(name);
  return names;
}

/**
 * The value at the end of a path, or undefined where the event has none. Only own properties of objects count, so that
 * no path reaches into a prototype or an array.
 */
export function readProperty(root: object, names: readonly string[]): unknown {
  let at: unknown = root;
  for (const name of names) {
    if (typeof at !== "object" || at === null || Array.isArray(at) || !Object.hasOwn(at, name)) return undefined;
    at = (at as Record<string, unknown>)[name];
  }
  return at;
}
