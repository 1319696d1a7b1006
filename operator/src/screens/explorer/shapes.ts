/** What the explorer's operations answer, and the values of a graph database as JSON has them (docs/operations/explorer.md). */

export interface Connection {
  id: string;
  name: string;
  host: string;
  port: number;
  database: string;
  user: string;
  tls: "verify-full" | "require" | "disable" | "own";
  ca: string | null;
  created_ts: number | null;
  is_own: boolean;
}

export interface Trial {
  ok: boolean;
  error?: string;
  reason?: string;
  server_version?: string;
  age_version?: string;
  graphs?: number;
}

export interface GraphInfo {
  name: string;
  labels: number;
  edges: number;
}

export interface LabelInfo {
  name: string;
  count: number;
  is_estimate: boolean;
  properties: { name: string; kinds: string[] }[];
}

export interface EdgeInfo extends LabelInfo {
  between: { from: string; to: string }[];
}

export interface Schema {
  labels: LabelInfo[];
  edges: EdgeInfo[];
  has_more: boolean;
}

export interface Template {
  id: string;
  title: string;
  about: string;
  cypher: string;
  names: ("label" | "edge" | "property")[];
  parameters: Record<string, string | number>;
}

export type Value = null | boolean | number | string | Value[] | { [key: string]: Value };

export interface Vertex {
  id: string;
  label: string;
  properties: Record<string, Value>;
}

export interface Edge extends Vertex {
  start: string;
  end: string;
}

export interface Result {
  columns: string[];
  rows: Value[][];
  /** Undefined while rows still come. */
  done?: { rows: number; has_more: boolean; took_ms: number; is_written: boolean };
}

/** A value in one line, for a cell or a text. */
export function textOf(value: Value): string {
  if (value === null) return "null";
  if (typeof value !== "object") return String(value);
  if (Array.isArray(value)) return `[${value.map(textOf).join(", ")}]`;
  if (isVertex(value)) return `(:${value["$vertex"].label} ${propertiesOf(value["$vertex"].properties)})`;
  if (isEdge(value)) return `[:${value["$edge"].label} ${propertiesOf(value["$edge"].properties)}]`;
  if (isPath(value)) return value["$path"].map(textOf).join("–");
  const special = value["$integer"] ?? value["$numeric"] ?? value["$number"];
  if (special !== undefined) return textOf(special);
  return propertiesOf((value["$map"] as Record<string, Value> | undefined) ?? value);
}

export function propertiesOf(properties: Readonly<Record<string, Value>>): string {
  return `{${Object.entries(properties)
    .map(([name, value]) => `${name}: ${typeof value === "string" ? JSON.stringify(value) : textOf(value)}`)
    .join(", ")}}`;
}

export function isVertex(value: Value): value is { $vertex: Vertex & Value } {
  return typeof value === "object" && value !== null && "$vertex" in value;
}

export function isEdge(value: Value): value is { $edge: Edge & Value } {
  return typeof value === "object" && value !== null && "$edge" in value;
}

export function isPath(value: Value): value is { $path: Value[] } {
  return typeof value === "object" && value !== null && "$path" in value;
}
