/**
 * Questions that every graph has, as Cypher with parameters. `{label}` and `{edge}` stand for names of the schema, put in between backquotes:
 * Cypher has no parameters for names.
 */
export interface Template {
  id: string;
  title: string;
  about: string;
  cypher: string;
  /** What the person chooses: names of the schema, and parameters with a value to begin with. */
  names: readonly ("label" | "edge" | "property")[];
  parameters: Readonly<Record<string, string | number>>;
}

export const templates: readonly Template[] = [
  {
    id: "shortest-path",
    title: "Shortest path",
    about: "The shortest way between two elements, over at most five edges of any kind.",
    // AGE has no shortestPath(): all paths of that length are looked at, the shortest first.
    cypher: `MATCH p = (a:{label})-[*1..5]-(b:{label})
WHERE a.{property} = $from AND b.{property} = $to
RETURN p
ORDER BY length(p)
LIMIT 1`,
    names: ["label", "property"],
    parameters: { from: "", to: "" },
  },
  {
    id: "neighbours",
    title: "Neighbours",
    about: "What is around one element.",
    cypher: `MATCH (a:{label})-[r]-(b)
WHERE a.{property} = $value
RETURN a, r, b
LIMIT 100`,
    names: ["label", "property"],
    parameters: { value: "" },
  },
  {
    id: "influencers",
    title: "Influencers",
    about: "Which elements have the most edges of one type coming in.",
    cypher: `MATCH (a)-[r:{edge}]->(b)
RETURN b, count(r) AS edges
ORDER BY count(r) DESC
LIMIT 20`,
    names: ["edge"],
    parameters: {},
  },
  {
    id: "cycles",
    title: "Cycles",
    about: "Ways over two to four edges of one type that come back to where they began.",
    cypher: `MATCH p = (a:{label})-[:{edge}*2..4]->(a)
RETURN p
LIMIT 50`,
    names: ["label", "edge"],
    parameters: {},
  },
  {
    id: "isolated",
    title: "Isolated",
    about: "Elements of one label that have no edge at all.",
    cypher: `MATCH (a:{label})
WHERE NOT exists((a)-[]-())
RETURN a
LIMIT 100`,
    names: ["label"],
    parameters: {},
  },
];

/** With names of the schema in their places. */
export function fill(template: string, names: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{(label|edge|property)\}/g, (place, name: string) => {
    const given = names[name];
    return given === undefined ? place : `\`${given.replaceAll("`", "``")}\``;
  });
}
