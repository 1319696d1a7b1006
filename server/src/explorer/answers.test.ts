import assert from "node:assert/strict";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { test } from "node:test";
import { streamed } from "./answers.ts";

test("what fails at the end of an answer that nobody reads is written to the log, and ends nothing else", async () => {
  const logged: unknown[] = [];
  async function* parts() {
    try {
      yield { rows: [] };
      yield { rows: [] };
    } finally {
      // As where the audit log can not be written.
      await Promise.reject(new Error("the database is away"));
    }
  }
  const log = { error: (said: unknown) => void logged.push(said) } as Parameters<typeof streamed>[1]["log"];
  const { payload } = await streamed(parts(), { format: "json", lineOf: () => "a line", log });
  const closed = once(payload as Readable, "close");
  (payload as Readable).destroy();
  await closed;
  await new Promise((resolve) => void setImmediate(resolve));
  assert.deepEqual(logged, [{ err: new Error("the database is away") }]);
});
