// The frames of the stream, checked against docs/protocol/stream.asyncapi.yaml.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { parse } from "yaml";

const FILE = new URL("../../docs/protocol/stream.asyncapi.yaml", import.meta.url);

type Document = {
  operations: Record<"clientSends" | "serverSends", { messages: { $ref: string }[] }>;
  components: { messages: Record<string, { payload: { $ref: string } }>; schemas: Record<string, object> };
};

export type Side = keyof Document["operations"];

let opened: Record<Side, Map<string, ValidateFunction>> | undefined;

function open(): Record<Side, Map<string, ValidateFunction>> {
  const document = parse(readFileSync(FILE, "utf8")) as Document;
  const ajv = new Ajv2020({ strict: false });
  ajv.addSchema({ $id: "stream", components: document.components });
  const validators = (side: Side) =>
    new Map(
      document.operations[side].messages.map(({ $ref }) => {
        const name = $ref.split("/").at(-1) as string;
        const payload = document.components.messages[name]?.payload.$ref as string;
        return [name, ajv.compile({ $ref: `stream${payload}` })];
      }),
    );
  return { clientSends: validators("clientSends"), serverSends: validators("serverSends") };
}

/** The types of frames that the document knows of a side. */
export function frameTypes(side: Side): string[] {
  return [...(opened ??= open())[side].keys()];
}

/** Throws an AssertionError where the document does not allow the frame from this side. */
export function checkFrame(side: Side, frame: unknown): void {
  const type = (frame as { type?: unknown } | null)?.type;
  const validate = (opened ??= open())[side].get(String(type));
  assert.ok(validate, `the protocol knows no frame ${String(type)} of this side: ${JSON.stringify(frame)}`);
  assert.ok(validate(frame), `${JSON.stringify(frame)}: ${JSON.stringify(validate.errors)}`);
}
