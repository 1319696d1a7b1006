/** What every path has in common: errors in Matrix's words, CORS, methods, bodies, and what is no HTTP at all. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, test } from "node:test";
import { type Person, registerPerson } from "../../testkit/src/http.ts";
import { startTestServer, untilSyncsWait } from "../../testkit/src/server.ts";
import { soon } from "../../testkit/src/wait.ts";
import { limits } from "./limits.ts";

const server = await startTestServer();
after(() => server.stop());
const alice: Person = await registerPerson(server.url, "alice");
const authorization = { authorization: `Bearer ${alice.token}` };
const V3 = "/_matrix/client/v3";

interface Got {
  status: number;
  errcode: unknown;
  headers: Headers;
  text: string;
}

async function ask(method: string, path: string, init: RequestInit = {}): Promise<Got> {
  const response = await fetch(server.url + path, { method, ...init });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json") && text !== "";
  return {
    status: response.status,
    headers: response.headers,
    text,
    errcode: isJson ? JSON.parse(text).errcode : undefined,
  };
}

/** Sends bytes as they are, and gives what comes back before the connection ends. */
async function askRaw(bytes: string): Promise<string> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  socket.write(bytes);
  let answer = "";
  socket.on("data", (chunk) => (answer += chunk.toString()));
  await soon("the server closes the connection", once(socket, "close"));
  return answer;
}

const failures: [what: string, method: string, path: string, init: RequestInit, expected: [number, string]][] = [
  ["an unknown path", "GET", `${V3}/nothing`, {}, [404, "M_UNRECOGNIZED"]],
  ["an unknown path, posted to", "POST", `${V3}/nothing`, { body: "{}" }, [404, "M_UNRECOGNIZED"]],
  ["a method that a path does not have", "DELETE", `${V3}/sync`, {}, [405, "M_UNRECOGNIZED"]],
  ["a method that no path has", "PATCH", `${V3}/sync`, { body: "{}" }, [405, "M_UNRECOGNIZED"]],
  ["no token", "GET", `${V3}/sync`, {}, [401, "M_MISSING_TOKEN"]],
  ["a wrong token", "GET", `${V3}/sync`, { headers: { authorization: "Bearer no" } }, [401, "M_UNKNOWN_TOKEN"]],
  [
    "a header of another scheme",
    "GET",
    `${V3}/sync`,
    { headers: { authorization: "Basic a" } },
    [401, "M_MISSING_TOKEN"],
  ],
  ["no JSON", "POST", `${V3}/createRoom`, { headers: authorization, body: "{" }, [400, "M_NOT_JSON"]],
  ["no UTF-8", "POST", `${V3}/register`, { body: Buffer.from('{"username":"a\x81"}', "latin1") }, [400, "M_NOT_JSON"]],
  ["no object", "POST", `${V3}/createRoom`, { headers: authorization, body: "null" }, [400, "M_BAD_JSON"]],
  [
    "a value of the wrong type",
    "POST",
    `${V3}/createRoom`,
    { headers: authorization, body: '{"name":1}' },
    [400, "M_BAD_JSON"],
  ],
  [
    "a missing value",
    "PUT",
    `${V3}/rooms/!a/typing/${alice.userId}`,
    { headers: authorization, body: "{}" },
    [400, "M_MISSING_PARAM"],
  ],
  ["a wrong parameter", "GET", `${V3}/sync?timeout=soon`, { headers: authorization }, [400, "M_INVALID_PARAM"]],
  ["U+0000", "GET", `${V3}/profile/a%00b`, { headers: authorization }, [400, "M_INVALID_PARAM"]],
  ["a broken escape", "GET", `${V3}/profile/%zz`, { headers: authorization }, [400, "M_UNKNOWN"]],
  [
    "too large a body",
    "POST",
    `${V3}/createRoom`,
    { headers: authorization, body: `"${"a".repeat(limits.body_bytes)}"` },
    [413, "M_TOO_LARGE"],
  ],
];

for (const [what, method, path, init, expected] of failures)
  test(`${what} is answered ${expected.join(" ")}, in JSON that any origin may read`, async () => {
    const { status, errcode, headers } = await ask(method, path, init);
    assert.deepEqual([status, errcode], expected);
    assert.equal(headers.get("access-control-allow-origin"), "*");
    assert.equal(headers.get("content-type"), "application/json");
  });

test("the type of an answer is application/json, without a charset", async () => {
  for (const path of ["/_matrix/client/versions", `${V3}/login`, `${V3}/nothing`, "/_matrix/client/%zz"])
    assert.equal((await ask("GET", path)).headers.get("content-type"), "application/json", path);
});

test("a preflight is answered on every path, with what clients may send", async () => {
  for (const path of [`${V3}/sync`, `${V3}/nothing`, "/"]) {
    const { status, headers } = await ask("OPTIONS", path);
    assert.equal(status, 204);
    assert.match(headers.get("access-control-allow-headers") ?? "", /Authorization/);
    assert.match(headers.get("access-control-allow-methods") ?? "", /PUT/);
  }
});

test("HEAD is GET without its body", async () => {
  const { status, text } = await ask("HEAD", "/_matrix/client/versions");
  assert.deepEqual([status, text], [200, ""]);
});

test("JSON is read under any content type or none, and __proto__ in it is a name like others", async () => {
  const body = '{"name":"a","__proto__":{"isAdmin":true}}';
  for (const type of ["text/plain", "application/x-www-form-urlencoded", undefined]) {
    const headers = type === undefined ? authorization : { ...authorization, "content-type": type };
    // Bytes go without a type of their own.
    const { status } = await ask("POST", `${V3}/createRoom`, { headers, body: Buffer.from(body) });
    assert.equal(status, 200);
  }
  assert.equal(({} as { isAdmin?: boolean }).isAdmin, undefined);
});

test("the older /r0/ is the same path, and so is one with a slash at its end", async () => {
  for (const path of ["/_matrix/client/r0/account/whoami", `${V3}/account/whoami/`])
    assert.equal((await ask("GET", path, { headers: authorization })).status, 200);
});

test("what is no HTTP is answered in Matrix's words, and the connection ends", async () => {
  assert.match(await askRaw("HELLO\r\n\r\n"), /^HTTP\/1\.1 400 [^]*"M_UNKNOWN"/);
  const large = `GET / HTTP/1.1\r\nhost: a\r\nx: ${"a".repeat(40_000)}\r\n\r\n`;
  assert.match(await askRaw(large), /^HTTP\/1\.1 431 [^]*"M_TOO_LARGE"/);
});

test("a failure of the server's own leaks nothing but the number under which the log has it", async () => {
  const { db } = server.ctx;
  const { one } = db.log;
  db.log.one = async () => {
    throw new Error("relation secret_table does not exist");
  };
  const { status, errcode, text } = await ask("GET", `${V3}/user/${alice.userId}/account_data/a`, {
    headers: authorization,
  });
  db.log.one = one;
  assert.deepEqual([status, errcode], [500, "M_UNKNOWN"]);
  assert.equal(text.includes("secret_table"), false);
});

test("a client that goes away ends its wait", async () => {
  const { next_batch } = await alice.call("GET", `${V3}/sync`);
  const gone = new AbortController();
  const waiting = fetch(`${server.url}${V3}/sync?timeout=30000&since=${next_batch}`, {
    headers: authorization,
    signal: gone.signal,
  });
  await untilSyncsWait(server, 1);
  gone.abort();
  await assert.rejects(waiting);
  await untilSyncsWait(server, 0);
});
