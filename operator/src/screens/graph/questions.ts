/** The questions that can be asked, and what each needs to be told. */
import type { Search } from "../../model/search.ts";
import type { GraphEdge, GraphNode } from "./canvas/model.ts";

export type FieldKind = "person" | "room" | "device" | "days" | "day";

export interface QuestionField {
  /** In the address. */
  name: string;
  kind: FieldKind;
  label: string;
  isOptional?: boolean;
  /** Of a calendar day in the browser's time zone: the API is given its first millisecond under this name. */
  sentAs?: string;
}

export interface Question {
  name: string;
  label: string;
  path: string;
  fields: readonly QuestionField[];
  /** What of the address is sent besides. */
  fixed?: Readonly<Record<string, string>>;
}

const person = { name: "user_id", kind: "person", label: "Person" } as const;
const room = { name: "room_id", kind: "room", label: "Room" } as const;
const device = { name: "device_id", kind: "device", label: "Device" } as const;
const lost = { name: "lost", kind: "day", label: "Lost on", isOptional: true, sentAs: "lost_ts" } as const;

export const questions: readonly Question[] = [
  { name: "why", label: "Why can a person read a room?", path: "/graph/why", fields: [person, room] },
  { name: "who", label: "Who can read a room?", path: "/graph/who-can-read", fields: [room] },
  { name: "reach", label: "What does a person reach?", path: "/graph/reach", fields: [person] },
  { name: "exposed", label: "What did a device expose?", path: "/graph/exposed", fields: [person, device, lost] },
  removal("remove-person", "Without a person, what changes?", [person]),
  removal("remove-role", "Without a role, what changes?", [
    person,
    { ...room, label: "Room (none: the server)", isOptional: true },
  ]),
  removal("remove-device", "Without a device, what changes?", [person, device]),
  removal("remove-space", "Without a space, what changes?", [{ ...room, label: "Space or room" }]),
  { name: "orphans", label: "Which rooms are orphaned?", path: "/graph/orphans", fields: [] },
  {
    name: "paths",
    label: "Who administers, and by whom?",
    path: "/graph/administrators-paths",
    fields: [{ ...room, label: "Room (none: the server)", isOptional: true }],
  },
  {
    name: "stale",
    label: "Which devices are stale?",
    path: "/graph/stale-devices",
    fields: [{ name: "days", kind: "days", label: "Not seen for days", isOptional: true }],
  },
  {
    name: "taken",
    label: "What has left the server?",
    path: "/graph/taken",
    fields: [
      { ...person, isOptional: true, label: "Person (none: all)" },
      { ...room, isOptional: true, label: "Room (none: all)" },
    ],
  },
];

function removal(name: string, label: string, fields: Question["fields"]): Question {
  return { name, label, path: "/graph/effect-of-removal", fields, fixed: { kind: name.replace("remove-", "") } };
}

/** The question that an address asks; undefined where it is not complete. */
export function askedBy(search: Search): { question: Question; query: Record<string, string> } | undefined {
  const question = questions.find(({ name }) => name === search["question"]);
  if (!question) return undefined;
  const given = question.fields.flatMap((field) => sentOf(field, search[field.name]));
  const isComplete = question.fields.every(({ name, isOptional }) => isOptional || search[name]);
  return isComplete ? { question, query: { ...question.fixed, ...Object.fromEntries(given) } } : undefined;
}

/** A day that is none is left out. */
function sentOf({ name, kind, sentAs = name }: QuestionField, value: string | undefined): [string, string][] {
  if (!value) return [];
  if (kind !== "day") return [[sentAs, value]];
  const first_ms = new Date(`${value}T00:00:00`).getTime();
  return Number.isNaN(first_ms) ? [] : [[sentAs, `${first_ms}`]];
}

export type Value = string | number | boolean | null;

/** What every question answers (server/src/graph/answer.ts). */
export interface Answer {
  sentence: string;
  details: string[];
  items: Record<string, Value>[];
  total: number;
  nodes: GraphNode[];
  edges: GraphEdge[];
  more_nodes: number;
  roots: string[];
  as_of_ts: number | null;
  behind_ms: number | null;
  back_end: "tables" | "age";
}

export interface Status {
  is_stale: boolean;
  rebuilding: boolean;
  as_of_ts: number | null;
  behind_ms: number | null;
  back_end: "tables" | "age";
  age: string;
  counts: Record<string, number>;
}

/** What to ask for what is around a node; undefined where nothing is. */
export function around({ type, properties }: GraphNode): { path: string; query: Record<string, string> } | undefined {
  const { user_id, room_id, device_id } = properties;
  if (type === "device")
    return { path: "/graph/exposed", query: { user_id: String(user_id), device_id: String(device_id) } };
  if (typeof room_id === "string") return { path: "/graph/who-can-read", query: { room_id } };
  if (typeof user_id === "string") return { path: "/graph/reach", query: { user_id } };
  return undefined;
}

/** Nodes and edges together, each once; what was there first stays. At most `most` nodes, and how many are left out. */
export function merged(
  parts: readonly { nodes: readonly GraphNode[]; edges: readonly GraphEdge[] }[],
  most: number,
): { nodes: GraphNode[]; edges: GraphEdge[]; left: number } {
  const nodes = new Map<string, GraphNode>();
  const edges = new Map<string, GraphEdge>();
  for (const part of parts) {
    for (const node of part.nodes) if (!nodes.has(node.id)) nodes.set(node.id, node);
    for (const edge of part.edges) if (!edges.has(edge.id)) edges.set(edge.id, edge);
  }
  const shown = [...nodes.values()].slice(0, most);
  const ids = new Set(shown.map(({ id }) => id));
  return {
    nodes: shown,
    edges: [...edges.values()].filter(({ from, to }) => ids.has(from) && ids.has(to)),
    left: nodes.size - shown.length,
  };
}

/** What is at most so many edges away from the roots. */
export function within(
  data: { nodes: readonly GraphNode[]; edges: readonly GraphEdge[] },
  roots: readonly string[],
  depth: number,
): { nodes: GraphNode[]; edges: GraphEdge[] } {
  let near = new Set(roots);
  for (let step = 0; step < depth; step++) {
    const next = new Set(near);
    for (const { from, to } of data.edges) {
      if (near.has(from)) next.add(to);
      if (near.has(to)) next.add(from);
    }
    near = next;
  }
  const nodes = near.size === 0 ? [...data.nodes] : data.nodes.filter(({ id }) => near.has(id));
  const ids = new Set(nodes.map(({ id }) => id));
  return { nodes, edges: data.edges.filter(({ from, to }) => ids.has(from) && ids.has(to)) };
}

const WORDS: Readonly<Record<string, string>> = {
  since_ts: "since",
  until_ts: "until",
  from_ts: "from",
  created_ts: "made",
  last_seen_ts: "last seen",
  user_id: "user id",
  room_id: "room id",
  case_reference: "case",
  taken_ts: "taken",
};

/** The name of a column or property, as a person reads it. */
export function wordsOf(name: string): string {
  const words = WORDS[name] ?? name.replace(/_ts$/, "").replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A value as a person reads it. Times are told by their name. */
export function textOf(name: string, value: unknown, timeOf: (at_ms: number) => string): string {
  if (value === null || value === undefined) return name === "from_ts" ? "the beginning" : "–";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (name.endsWith("_ts")) return timeOf(Number(value));
  if (value === Number.MAX_SAFE_INTEGER) return "creator";
  return typeof value === "string" || typeof value === "number" ? String(value) : JSON.stringify(value);
}
