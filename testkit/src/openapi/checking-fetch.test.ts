import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import test, { type TestContext } from "node:test";
import { openChecker } from "./checker.ts";
import { checkingFetch, coverageTable, type CheckingFetchOptions } from "./checking-fetch.ts";
import { specOrSkip } from "./spec-dir.ts";

const sync = "/_matrix/client/v3/sync";
const emptySync = JSON.stringify({ next_batch: "s1", device_unused_fallback_key_types: [] });

/** A server that answers every request with `answer`, and a checking fetch in front of it; undefined without a spec. */
async function start(t: TestContext, answer: (res: ServerResponse) => void, options?: CheckingFetchOptions) {
  const dir = specOrSkip(t);
  if (dir === undefined) return undefined;
  const server = createServer((_request, response) => answer(response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close().closeAllConnections());
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const checker = openChecker(dir);
  return { origin, checker, ...checkingFetch(fetch, checker, options) };
}

function json(text: string, status = 200): (res: ServerResponse) => void {
  return (res) => void res.writeHead(status, { "content-type": "application/json; charset=utf-8" }).end(text);
}

test("a valid answer passes with its body unread, and is counted", async (t) => {
  const started = await start(t, json(emptySync));
  if (started === undefined) return;
  const response = await started.fetch(`${started.origin}${sync}?timeout=0`);
  assert.equal(await response.text(), emptySync);
  await started.fetch(new Request(`${started.origin}${sync}`));
  assert.deepEqual(started.covered(), [{ operationId: "sync", status: 200, count: 2 }]);
  assert.match(
    coverageTable(started.checker.operations(), started.covered()),
    /^sync +200×2$[^]*\n1 of \d+ operations seen$/m,
  );
});

test("an answer that breaks the specification rejects, and is remembered", async (t) => {
  const started = await start(t, json("{}"));
  if (started === undefined) return;
  await assert.rejects(started.fetch(`${started.origin}${sync}`), /^AssertionError.*sync .*'next_batch'/);
  assert.equal(started.violations().length, 1);
  assert.deepEqual(started.covered(), []);
});

test("onViolation takes the place of the rejection", async (t) => {
  const told: Error[] = [];
  const started = await start(t, json("{}"), { onViolation: (error) => told.push(error) });
  if (started === undefined) return;
  const response = await started.fetch(`${started.origin}${sync}`);
  assert.deepEqual(await response.json(), {});
  assert.deepEqual(told, started.violations());
  assert.equal(told.length, 1);
});

test("JSON that does not parse, or has another content type, is no JSON answer", async (t) => {
  const broken = await start(t, json('{"next_batch":'));
  if (broken === undefined) return;
  await assert.rejects(broken.fetch(`${broken.origin}${sync}`), /there is no JSON body/);
  const html = await start(t, (res) => void res.writeHead(200, { "content-type": "text/html" }).end(emptySync));
  await assert.rejects(html?.fetch(`${html.origin}${sync}`) ?? assert.fail(), /there is no JSON body/);
});

test("a download passes untouched while it streams, also one of JSON", async (t) => {
  const started = await start(t, (res) => {
    res.writeHead(200, { "content-type": "application/json" });
    res.write('{"half":');
  });
  if (started === undefined) return;
  const path = "/_matrix/client/v1/media/download/example.org/abc";
  const response = await started.fetch(started.origin + path);
  const first = await response.body?.getReader().read();
  assert.equal(Buffer.from(first?.value ?? []).toString(), '{"half":');
});

test("an answer that its caller aborts while it comes is not a violation", async (t) => {
  const abort = new AbortController();
  const started = await start(t, (res) => {
    res.writeHead(200, { "content-type": "application/json" });
    res.write('{"next_batch":');
    setImmediate(() => abort.abort());
  });
  if (started === undefined) return;
  const read = async () => {
    const response = await started.fetch(`${started.origin}${sync}?timeout=30000`, { signal: abort.signal });
    await response.text();
  };
  await assert.rejects(read(), { name: "AbortError" });
  assert.deepEqual(started.violations(), []);
});
