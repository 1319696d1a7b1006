// What may be asked: the operations of the specification with the schemas of their bodies and queries, and those of the operator API.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { schemaOf as jsonSchemaOf } from "../../../server/src/console/openapi.ts";
import { operations as operatorOperations } from "../../../server/src/console/operations.ts";
import { openDocuments, type SpecDocuments } from "../openapi/documents.ts";
import { isObject, type Json, type JsonObject } from "../openapi/json.ts";

/** A schema as it is written, with the file that its references are relative to. */
export type Schema = { file: string; value: Json };

/** One operation that can be asked. */
export type Target = {
  name: string;
  method: string;
  /** With `{name}` for parameters. */
  path: string;
  query: Map<string, Schema>;
  /** Undefined where it takes none. */
  body: Schema | "bytes" | undefined;
  /** Who asks. */
  who: "person" | "operator";
};

export type Resolve = (schema: Schema) => Schema;

const apiDir = "api/client-server";
const methods = ["get", "put", "post", "delete"] as const;

/** Every operation of the Client-Server API, from its OpenAPI files. */
export function clientTargets(dir: string): { targets: Target[]; resolve: Resolve } {
  const documents = openDocuments(dir);
  const files = readdirSync(join(dir, "data", apiDir)).filter((name) => name.endsWith(".yaml"));
  return {
    targets: files.flatMap((name) => targetsOf(documents, `${apiDir}/${name}`)),
    resolve: (schema) => follow(documents, schema),
  };
}

function follow(documents: SpecDocuments, schema: Schema): Schema {
  let at = schema;
  // What is written in itself, in a schema of ours.
  if (at.file === "" && isObject(at.value) && at.value["$ref"] !== undefined) return { file: "", value: {} };
  while (isObject(at.value) && typeof at.value["$ref"] === "string") at = documents.follow(at.file, at.value["$ref"]);
  return at;
}

function targetsOf(documents: SpecDocuments, file: string): Target[] {
  const document = documents.raw(file) as JsonObject;
  const basePath = /basePath["']?:\s*\{?\s*["']?default["']?:\s*["']([^"']+)/.exec(JSON.stringify(document))?.[1] ?? "";
  return Object.entries((document["paths"] ?? {}) as Record<string, JsonObject>).flatMap(([path, item]) =>
    methods.flatMap((method): Target[] => {
      const operation = item[method];
      if (!isObject(operation)) return [];
      const parameters = [...((item["parameters"] ?? []) as Json[]), ...((operation["parameters"] ?? []) as Json[])];
      const query = parameters
        .map((each) => follow(documents, { file, value: each }))
        .filter(({ value }) => (value as JsonObject)["in"] === "query")
        .map(({ file: of, value }): [string, Schema] => {
          const { name, schema } = value as { name: string; schema: Json };
          return [name, { file: of, value: schema }];
        });
      const name = operation["operationId"] as string;
      const body = bodyOf(documents, file, operation);
      return [
        {
          name,
          method: method.toUpperCase(),
          path: basePath + path.trim(),
          query: new Map(query),
          body,
          who: "person",
        },
      ];
    }),
  );
}

function bodyOf(documents: SpecDocuments, file: string, operation: JsonObject): Target["body"] {
  if (operation["requestBody"] === undefined) return undefined;
  const { file: of, value } = follow(documents, { file, value: operation["requestBody"] });
  const { content } = value as { content: Record<string, { schema: Json }> };
  const json = content["application/json"];
  return json ? { file: of, value: json.schema } : "bytes";
}

/** Every operation of the operator API, from its own schemas; `isMeant` keeps out what would end the run. */
export function operatorTargets(isMeant: (id: string) => boolean): Target[] {
  const schemaOf = (schema: Parameters<typeof jsonSchemaOf>[0]): Schema => ({
    file: "",
    value: jsonSchemaOf(schema, "input") as Json,
  });
  return operatorOperations
    .filter(({ id }) => isMeant(id))
    .map(({ id, method, path, query, body }) => ({
      name: id,
      method,
      path: `/_parley/admin/v1${path.replaceAll(/:([^/]+)/g, "{$1}")}`,
      query: new Map(propertiesOf(schemaOf(query))),
      body: body === undefined ? undefined : body === "stream" ? ("bytes" as const) : schemaOf(body),
      who: "operator" as const,
    }));
}

function propertiesOf({ file, value }: Schema): [string, Schema][] {
  const { properties = {} } = value as { properties?: JsonObject };
  return Object.entries(properties).map(([name, property]) => [name, { file, value: property }]);
}
