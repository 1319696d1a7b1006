/** The OpenAPI document of the operator API, made from the operations. */
import { z } from "zod";
import { version } from "../version.ts";
import { API } from "./mount.ts";
import type { Operation } from "./operation.ts";

export interface Schema {
  type?: string | readonly string[];
  description?: string;
  enum?: readonly unknown[];
  default?: unknown;
  properties?: Readonly<Record<string, Schema>>;
  required?: readonly string[];
  items?: Schema;
  anyOf?: readonly Schema[];
  [more: string]: unknown;
}

/** The JSON Schema of what is sent or answered. What has none is anything. */
export function schemaOf(schema: z.ZodType, io: "input" | "output"): Schema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return rest as Schema;
}

const FAILURE = {
  description: "It was not done: `errcode` says why, for programs, and `error` for people.",
  content: { "application/json": { schema: { $ref: "#/components/schemas/Failure" } } },
};

/** The whole document, as JSON. Made once, when somebody first asks. */
export function openApiOf(operations: readonly Operation[]): string {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    const path = operation.path.replaceAll(/:([^/]+)/g, "{$1}");
    (paths[path] ??= {})[operation.method.toLowerCase()] = described(operation);
  }
  return JSON.stringify({
    openapi: "3.1.0",
    info: {
      title: "Parley: operator API",
      version,
      description: "What those who run a Parley ask and do. The console and the shell use the same operations.",
    },
    servers: [{ url: API }],
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "The access token of an operator's session." },
      },
      schemas: {
        Failure: {
          type: "object",
          required: ["errcode", "error"],
          properties: { errcode: { type: "string" }, error: { type: "string" } },
        },
      },
    },
  });
}

function described(operation: Operation): object {
  const { id, summary, description, role, isWrite, isAudited, body, answer } = operation;
  return {
    operationId: id,
    summary,
    ...(description ? { description } : {}),
    tags: [id.split(".")[0]],
    "x-parley-role": role,
    "x-parley-changes": isWrite,
    "x-parley-audited": isAudited,
    parameters: parametersOf(operation),
    ...(body === undefined ? {} : { requestBody: { required: true, content: contentOf(body, "input") } }),
    responses: {
      200: { description: "It is done.", content: contentOf(answer, "output") },
      default: FAILURE,
    },
  };
}

function contentOf(schema: z.ZodType | "stream", io: "input" | "output"): object {
  return schema === "stream"
    ? { "*/*": { schema: { type: "string", format: "binary" } } }
    : { "application/json": { schema: schemaOf(schema, io) } };
}

/** Values of a query are texts on their way; what they become is what is told. */
export function parametersOf({ path, query }: Pick<Operation, "path" | "query">): object[] {
  const inPath = [...path.matchAll(/:([^/]+)/g)].map(([, name = ""]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const { properties = {}, required = [] } = schemaOf(query, "output");
  const inQuery = Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: "query",
    required: required.includes(name) && schema.default === undefined,
    ...(description ? { description } : {}),
    schema,
  }));
  return [...inPath, ...inQuery];
}
