/** The explorer for operators: graphs, queries, plans and imports over a saved connection. */
import { z } from "zod";
import { type Actor, operation, type OperationRequest, type Operation } from "../console/operation.ts";
import { isAtLeast } from "../console/operators.ts";
import { MatrixError, matrixError } from "../errors.ts";
import type { Answer } from "../http.ts";
import { limits } from "../limits.ts";
import { formats, linesFor, recorded, streamed } from "./answers.ts";
import { shapeOf } from "./cypher/shape.ts";
import { cellTypes, importCsv } from "./import.ts";
import { graphsOf, schemaOf } from "./look.ts";
import { OWN, wayTo } from "./open.ts";
import { plan, run } from "./run.ts";
import { templates } from "./templates.ts";

const GRAPH = "/explorer/connections/:connectionId/graphs/:graph";

const graphs = operation({
  id: "explorer.graphs.list",
  method: "GET",
  path: "/explorer/connections/:connectionId/graphs",
  summary: "Lists the graphs of a database",
  role: "operator",
  answer: z.object({
    items: z.array(z.object({ name: z.string(), labels: z.int(), edges: z.int() })),
  }),
  command: { name: "explorer graph list", arguments: ["connectionId"] },
  handle: async ({ actor, params: { connectionId } }, ctx) => ({
    items: await graphsOf(await wayTo(ctx, actor.userId, connectionId)),
  }),
});

const label = {
  name: z.string(),
  count: z.int(),
  is_estimate: z.boolean().meta({ description: "Counting took too long: it is what the database estimates." }),
  properties: z.array(z.object({ name: z.string(), kinds: z.array(z.string()) })),
};

const schema = operation({
  id: "explorer.graphs.schema",
  method: "GET",
  path: GRAPH,
  summary: "Tells labels, edge types and properties of a graph, with counts",
  description: "Properties are those of the first elements of each label.",
  role: "operator",
  answer: z.object({
    labels: z.array(z.object(label)),
    edges: z.array(z.object({ ...label, between: z.array(z.object({ from: z.string(), to: z.string() })) })),
    has_more: z.boolean(),
  }),
  command: {
    name: "explorer graph show",
    arguments: ["connectionId", "graph"],
    columns: ["name", "count", "is_estimate", "properties", "between"],
  },
  handle: async ({ actor, params: { connectionId, graph } }, ctx) =>
    schemaOf(await wayTo(ctx, actor.userId, connectionId), graph),
});

const cypher = z
  .string()
  .min(1)
  .max(limits.cypher_characters)
  .meta({ description: "openCypher, as Apache AGE knows it." });
const parameters = z
  .record(z.string(), z.json())
  .optional()
  .refine((given) => JSON.stringify(given ?? {}).length <= limits.cypherParameters_characters, "is too large")
  .meta({ description: "By their names without $." });
const timeout_s = z.coerce
  .number()
  .int()
  .min(1)
  .max(limits.explorerTimeoutMost_ms / 1_000)
  .default(limits.explorerTimeout_ms / 1_000);
const rows = z.coerce.number().int().min(1).max(limits.explorerRowsMost).default(limits.explorerRows);
const confirmation = z.string().meta({ description: "The name of the graph once more." });
const queryBody = { cypher, parameters, timeout_s, rows, format: z.enum(formats).default("ndjson") };

interface Asked {
  cypher: string;
  parameters?: Record<string, unknown> | undefined;
  timeout_s: number;
  rows: number;
}

interface Place {
  connectionId: string;
  graph: string;
}

const placeOf = ({ connectionId, graph }: Place) => `${connectionId}/${graph}`;

/** What the log keeps of it. */
function changeOf(place: Place, after: object) {
  return { target: placeOf(place), after: { graph: place.graph, ...after } };
}

interface Begun extends Pick<OperationRequest<Place>, "params" | "audit"> {
  after: object;
}

/** A question that streams is done where it has begun, and failed where it has not: the log says which, with what it was about. */
async function begun({ params, audit, after }: Begun, begin: () => Promise<Answer>): Promise<Answer> {
  const change = changeOf(params, after);
  try {
    const answer = await begin();
    audit(change);
    return answer;
  } catch (thrown) {
    audit({ ...change, error: thrown instanceof MatrixError ? thrown.errcode : "M_UNKNOWN" });
    throw thrown;
  }
}

/** Of a query the log keeps the text without its values: see docs/decisions/0047-credentials-at-rest.md. */
const formOf = ({ cypher: text }: Asked) => ({ query: shapeOf(text).form });

function runOf({ cypher: text, parameters: given, timeout_s: seconds, rows: most }: Asked) {
  return {
    cypher: text,
    parameters: given === undefined ? undefined : JSON.stringify(given),
    timeout_ms: seconds * 1_000,
    rows: most,
  };
}

/**
 * A query that means to can end the server that it runs on: AGE 1.5 does not look at the type of every value that it takes apart. That of
 * Parley itself runs those of owners alone, who hold it anyway.
 */
function refuseOnOwn({ connectionId }: Place, { role }: Actor): void {
  if (connectionId !== OWN || isAtLeast(role, "owner")) return;
  throw matrixError("M_FORBIDDEN", "Queries on Parley's own database are for owners.", {
    fields: { required_role: "owner" },
  });
}

const query = operation({
  id: "explorer.query",
  method: "POST",
  path: `${GRAPH}/query`,
  summary: "Runs a Cypher query that reads, and streams its rows",
  description:
    "NDJSON: one line with `columns`, lines with `rows`, and a last one with `done` or `error`. Values that JSON has no word for are objects with one member, such as `$vertex`. Nothing that it does stays: it is rolled back. On the connection of the access graph it is for owners.",
  role: "operator",
  isWrite: false,
  isAudited: true,
  body: z.object(queryBody),
  answer: "stream",
  rate: "search",
  command: { name: "explorer query", arguments: ["connectionId", "graph", "cypher"], isStream: true },
  async handle(request, ctx) {
    const { body, params, actor, audit, log, signal } = request;
    return begun({ params, audit, after: formOf(body) }, async () => {
      refuseOnOwn(params, actor);
      const way = await wayTo(ctx, actor.userId, params.connectionId);
      const parts = run(way, { ...runOf(body), graph: params.graph, mayWrite: false, signal });
      return streamed(parts, linesFor(body.format, "query", log));
    });
  },
});

const write = operation({
  id: "explorer.write",
  method: "POST",
  path: `${GRAPH}/write`,
  summary: "Runs a Cypher query that changes a graph",
  description: "`confirm` is the name of the graph. What `done` tells is committed; before that line nothing is.",
  role: "owner",
  body: z.object({ ...queryBody, confirm: confirmation }),
  answer: "stream",
  target: ({ params }) => placeOf(params),
  intent: ({ body }) => formOf(body),
  command: { name: "explorer write", arguments: ["connectionId", "graph", "cypher"], isStream: true },
  async handle(request, ctx) {
    const { body, params, actor, goesOn, log, signal } = request;
    refuseWrite(params, body.confirm);
    const way = await wayTo(ctx, actor.userId, params.connectionId);
    const parts = run(way, { ...runOf(body), graph: params.graph, mayWrite: true, signal });
    const change = changeOf(params, formOf(body));
    return streamed(recorded(parts, { ending: goesOn(), change }), linesFor(body.format, "written", log));
  },
});

function refuseWrite({ connectionId, graph }: { connectionId: string; graph: string }, confirm: string): void {
  if (connectionId === OWN)
    throw matrixError(
      "M_FORBIDDEN",
      "The access graph is only read here: it is what the log says, and is kept by the worker.",
    );
  if (confirm !== graph)
    throw matrixError("M_INVALID_PARAM", "confirm is not the name of the graph: type it as it is.");
}

const planOf = operation({
  id: "explorer.plan",
  method: "POST",
  path: `${GRAPH}/plan`,
  summary: "Tells how the database would run a query, without running it",
  role: "operator",
  isWrite: false,
  body: z.object({ cypher, parameters, timeout_s }),
  answer: z.object({ plan: z.json() }),
  command: { name: "explorer plan", arguments: ["connectionId", "graph", "cypher"] },
  async handle({ body, params, actor, signal }, ctx) {
    refuseOnOwn(params, actor);
    const way = await wayTo(ctx, actor.userId, params.connectionId);
    const asked = { ...runOf({ ...body, rows: 1 }), graph: params.graph, mayWrite: false, signal };
    return { plan: (await plan(way, asked)) as z.core.util.JSONType };
  },
});

const listTemplates = operation({
  id: "explorer.templates",
  method: "GET",
  path: "/explorer/templates",
  summary: "Lists questions that every graph has, as Cypher",
  role: "operator",
  answer: z.object({
    items: z.array(
      z.object({
        id: z.string(),
        title: z.string(),
        about: z.string(),
        cypher: z.string(),
        names: z.array(z.enum(["label", "edge", "property"])),
        parameters: z.record(z.string(), z.union([z.string(), z.number()])),
      }),
    ),
  }),
  command: { name: "explorer templates", columns: ["id", "title", "about"] },
  handle: async () => ({
    items: templates.map((each) => ({ ...each, names: [...each.names], parameters: { ...each.parameters } })),
  }),
});

const name = z.string().min(1).max(limits.explorerField_characters);
const end = z.object({ header: name, label: name, property: name, type: z.enum(cellTypes).default("text") });
const mapping = z.object({
  label: name,
  separator: z.enum([",", ";", "\t"]).default(","),
  columns: z
    .array(z.object({ header: name, property: name, type: z.enum(cellTypes).default("text") }))
    .max(limits.import_columns),
  edge: z.object({ from: end, to: end }).optional(),
});

const importing = operation({
  id: "explorer.import",
  method: "POST",
  path: `${GRAPH}/import`,
  summary: "Makes elements or edges of a CSV file, all of them or none",
  description:
    "`mapping` is JSON: the label, which column is which property and of what type, and for edges which elements they join. NDJSON comes back: `progress`, and at the end `done`, `failed` with errors by line, or `error`.",
  role: "owner",
  query: z.object({ confirm: confirmation, mapping: z.string().max(limits.cypher_characters) }),
  body: "stream",
  bodyLimit_bytes: limits.import_bytes,
  answer: "stream",
  target: ({ params }) => placeOf(params),
  command: { name: "explorer import", arguments: ["connectionId", "graph"], isStream: true, file: "A CSV file" },
  async handle({ query: given, params, body, actor, goesOn, log, signal }, ctx) {
    refuseWrite(params, given.confirm);
    const parsed = mapping.safeParse(parseJson(given.mapping));
    if (!parsed.success)
      throw matrixError(
        "M_INVALID_PARAM",
        `mapping: ${parsed.error.issues[0]?.path.join(".")} ${parsed.error.issues[0]?.message}`,
      );
    const way = await wayTo(ctx, actor.userId, params.connectionId);
    const parts = importCsv(way, { ...parsed.data, graph: params.graph }, { chunks: body, signal });
    const told = recorded(parts, { ending: goesOn(), change: changeOf(params, parsed.data) });
    return streamed(told, { format: "ndjson", log, lineOf: (part) => `${JSON.stringify(part)}\n` });
  },
});

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw matrixError("M_INVALID_PARAM", "mapping is no JSON.");
  }
}

export const graphOperations: readonly Operation[] = [graphs, schema, query, write, planOf, importing, listTemplates];
