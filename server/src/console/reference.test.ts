/** The document of the operator API and its page are made from the operations, and hold what they promise. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { startTestServer } from "../../../testkit/src/server.ts";
import { API } from "./mount.ts";
import { openApiOf } from "./openapi.ts";
import { operations } from "./operations.ts";

const PAGE = new URL("../../../docs/protocol/operator-api.md", import.meta.url);

test("the document has every operation under its name, with what it takes and gives", () => {
  const document = JSON.parse(openApiOf(operations)) as {
    paths: Record<string, Record<string, { operationId: string; parameters: { in: string; name: string }[] }>>;
  };
  const found = Object.values(document.paths).flatMap((methods) => Object.values(methods));
  assert.deepEqual(found.map((each) => each.operationId).toSorted(), operations.map(({ id }) => id).toSorted());
  const read = document.paths["/users/{userId}"]?.["get"];
  assert.deepEqual(
    read?.parameters.map(({ name }) => name),
    ["userId"],
  );
  const list = document.paths["/users"]?.["get"] as unknown as Record<
    string,
    { 200: { content: Record<string, { schema: object }> } }
  >;
  assert.match(JSON.stringify(list["responses"]?.[200].content["application/json"]?.schema), /"last_seen_ts"/);
});

test("document, page and style are there for anybody, with nothing but what is served here", async () => {
  await using server = await startTestServer();
  for (const [name, type] of [
    ["openapi.json", "application/json"],
    ["reference", "text/html; charset=utf-8"],
    ["reference.css", "text/css; charset=utf-8"],
  ]) {
    const answer = await fetch(`${server.url}${API}/${name}`);
    assert.deepEqual([answer.status, answer.headers.get("content-type")], [200, type]);
    assert.match(answer.headers.get("content-security-policy") ?? "", /^default-src 'none'; style-src 'self'/);
    const text = await answer.text();
    assert.doesNotMatch(
      text,
      /<script|\bstyle="|(src|href)="(https?:)?\/\//i,
      "no script, no inline style, no other host",
    );
    if (name === "reference") for (const { id } of operations) assert.ok(text.includes(`id="${id}"`), id);
  }
});

/** The table as docs/protocol/operator-api.md shows it. */
function shownTable(): string {
  const rows = operations.map(({ id, method, path, summary, role, command }) => {
    const places = (command?.arguments ?? []).map((each) => ` <${each}>`).join("");
    const shell = command ? `\`parley ${command.name}${places}\`` : "";
    return `| \`${id}\` | \`${method} ${path}\` | ${role} | ${summary} | ${shell} |`;
  });
  return ["| operation | request | role | what it does | in the shell |", "|---|---|---|---|---|", ...rows].join("\n");
}

test("the documentation shows the operations as they are", () => {
  const text = readFileSync(PAGE, "utf8");
  const [begin, end] = ["<!-- operations: begin -->\n", "\n<!-- operations: end -->"];
  const [from, to] = [text.indexOf(begin) + begin.length, text.indexOf(end)];
  // PARLEY_UPDATE_DOCS=1 writes the table.
  if (process.env["PARLEY_UPDATE_DOCS"] === "1")
    writeFileSync(PAGE, text.slice(0, from) + shownTable() + text.slice(to));
  else assert.equal(text.slice(from, to), shownTable());
});
