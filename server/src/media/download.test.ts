import assert from "node:assert/strict";
import { test } from "node:test";
import { registerPerson, request } from "../../../testkit/src/http.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { dispositionOf } from "./download.ts";

test("a name is written as a token, a quoted string or UTF-8, whichever can say it", () => {
  const cases = [
    ["ascii", "inline; filename=ascii"],
    ["name with spaces", 'inline; filename="name with spaces"'],
    ["name;with;semicolons", 'inline; filename="name;with;semicolons"'],
    ['"; evil="1\\', 'inline; filename="\\"; evil=\\"1\\\\"'],
    ["🐔", "inline; filename*=utf-8''%F0%9F%90%94"],
    ["it's (é).txt", "inline; filename*=utf-8''it%27s%20%28%C3%A9%29.txt"],
    ["a\r\nset-cookie: b", "inline; filename*=utf-8''a%0D%0Aset-cookie%3A%20b"],
    ["\ud800", "inline; filename*=utf-8''%EF%BF%BD"],
    [undefined, "inline"],
  ] as const;
  for (const [name, header] of cases) assert.equal(dispositionOf("text/plain", name), header);
});

test("an empty file, a type that nobody gave, and the name of the path are served to the letter", async () => {
  await using server = await startTestServer();
  const alice = await registerPerson(server.url, "alice");
  const answer = await fetch(`${server.url}/_matrix/media/v3/upload?filename=${encodeURIComponent("größe.bin")}`, {
    method: "POST",
    headers: { authorization: `Bearer ${alice.token}` },
  });
  const { content_uri } = (await answer.json()) as { content_uri: string };
  const path = `/_matrix/client/v1/media/download/${content_uri.replace("mxc://", "")}`;
  const own = await alice.ask("GET", path);
  assert.deepEqual(
    [own.status, own.body.length, own.headers.get("content-type")],
    [200, 0, "application/octet-stream"],
  );
  assert.equal(own.headers.get("content-disposition"), "attachment; filename*=utf-8''gr%C3%B6%C3%9Fe.bin");
  assert.equal(own.headers.get("cross-origin-resource-policy"), "cross-origin");
  const named = await alice.ask("GET", `${path}/${encodeURIComponent("☕")}`);
  assert.equal(named.headers.get("content-disposition"), "attachment; filename*=utf-8''%E2%98%95");
});

test("an id of another server, one that nobody made and one too many are refused", async () => {
  await using server = await startTestServer();
  const alice = await registerPerson(server.url, "alice");
  const put = (id: string) =>
    request(server.url, "PUT", `/_matrix/media/v3/upload/${id}`, { token: alice.token, body: Buffer.from("x") });
  for (const id of ["other.example/abc", "localhost/nothing"]) {
    const { status, body } = await put(id);
    assert.deepEqual([status, body.errcode], [404, "M_NOT_FOUND"], id);
  }
  for (let made = 0; made < 20; made++) {
    const { unused_expires_at } = await alice.call("POST", "/_matrix/media/v1/create");
    assert.ok(unused_expires_at > Date.now());
  }
  const { status, body } = await alice.ask("POST", "/_matrix/media/v1/create");
  assert.deepEqual([status, body.errcode], [429, "M_LIMIT_EXCEEDED"]);
});
