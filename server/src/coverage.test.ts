/**
 * Every operation of the Client-Server API is served, or stands here with the reason why it is not; and every route at the
 * specification's paths is an operation, or stands here with what it is. docs/protocol/coverage.md is written from this:
 * `PARLEY_UPDATE_DOCS=1 node --test server/src/coverage.test.ts`.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { mountedRoutes } from "../../testkit/src/mounted.ts";
import { compareCoverage, type MountedPath } from "../../testkit/src/openapi/coverage.ts";
import { openDocuments } from "../../testkit/src/openapi/documents.ts";
import { openOperations, type Operation } from "../../testkit/src/openapi/operations.ts";
import { specOrSkip } from "../../testkit/src/openapi/spec-dir.ts";
import { type Domain, roleNames, roles } from "./roles.ts";

const PAGE = new URL("../../docs/protocol/coverage.md", import.meta.url);

/** By operationId. An entry of an operation that is served is a mistake too. */
const notServed: Readonly<Record<string, string>> = {};

const NO_IDENTITY = "always refused: no phone numbers are kept, and no identity server is asked";
const FROZEN = "404 `M_NOT_FOUND`: frozen, as the specification allows; files are read by who is signed in";
/** What is served, and answers with nothing but an error. */
const refusing: Readonly<Record<string, string>> = {
  bind3PID: NO_IDENTITY,
  requestTokenTo3PIDMSISDN: NO_IDENTITY,
  requestTokenToRegisterMSISDN: NO_IDENTITY,
  requestTokenToResetPasswordMSISDN: NO_IDENTITY,
  getContent: FROZEN,
  getContentOverrideName: FROZEN,
  getContentThumbnail: FROZEN,
  getWellknownPolicy: "404 `M_NOT_FOUND`: there is no policy server",
};

/** Paths beside the specification's, by what they begin with. */
const beyond: readonly (readonly [prefix: string, why: string])[] = [
  ["/_matrix/client/r0/", "the name of `/_matrix/client/v3` before there were versions"],
  ["/_matrix/media/r0/", "the name of `/_matrix/media/v3` before that"],
  ["/_matrix/media/v1/", "an older name of the same"],
  ["/_matrix/client/unstable/", "names that operations had while they were proposals, and proposals that are in use"],
  [
    "/_matrix/client/v3/rooms/:roomId/state/:eventType",
    "an empty state key, as the specification lets clients write it",
  ],
  [
    "/_matrix/client/v3/rooms/:roomId/send/:eventType",
    "sending without a transaction id, as it was before there were any; suites and small tools still do",
  ],
  ["/_matrix/client/v3/rooms/:roomId/redact/:eventId", "redacting in the same way"],
  [
    "/_matrix/client/v3/auth/:authType/fallback/web",
    "the page of a stage, which only the text of the specification has",
  ],
  [
    "/_matrix/static/client/login",
    "the page that signs in for clients that do not know how, which only the text of the specification has",
  ],
  ["/.well-known/openid-configuration", "where OpenID Connect has the metadata of OAuth 2.0"],
  ["/.well-known/oauth-authorization-server", "where RFC 8414 has the same"],
  [
    "/_matrix/federation/v1/openid/userinfo",
    "whom an OpenID token belongs to; nothing else of the federation API is there",
  ],
];

type Mounted = MountedPath & { domain: Domain };

const routesOfMatrix = async (): Promise<Mounted[]> =>
  (await mountedRoutes()).filter(({ path }) => /^\/(_matrix|\.well-known)\//.test(path));

const whyBeyond = ({ path }: Mounted) => beyond.find(([prefix]) => path.startsWith(prefix));

function read(dir: string): Operation[] {
  return openOperations(dir, openDocuments(dir)).all();
}

test("every operation is served, or has a reason why not, and no reason is there without need", async (t) => {
  const dir = specOrSkip(t);
  if (dir === undefined) return;
  const operations = read(dir);
  const { missing, served } = compareCoverage(operations, await routesOfMatrix());
  assert.ok(operations.length > 150);
  assert.deepEqual(missing.map(({ operationId }) => operationId).toSorted(), Object.keys(notServed).toSorted());
  const servedIds = new Set(served.map(({ operation }) => operation.operationId));
  assert.deepEqual(
    Object.keys(refusing).filter((id) => !servedIds.has(id)),
    [],
    "refused, and not even served",
  );
});

test("every route at a path of Matrix is an operation, or has a reason to be there", async (t) => {
  const dir = specOrSkip(t);
  if (dir === undefined) return;
  const found = compareCoverage(read(dir), await routesOfMatrix()).beyond;
  assert.deepEqual(
    found.filter((each) => !whyBeyond(each)).map(({ method, path }) => `${method} ${path}`),
    [],
  );
  const used = new Set(found.map((each) => whyBeyond(each)?.[0]));
  assert.deepEqual(
    beyond.filter(([prefix]) => !used.has(prefix)),
    [],
  );
});

test("a route that is taken away, and one that is nobody's, are noticed", (t) => {
  const dir = specOrSkip(t);
  if (dir === undefined) return;
  const operations = read(dir);
  const routes = operations.map(({ method, path }) => ({ method, path: path.replaceAll(/\{([^}]+)\}/g, ":$1") }));
  assert.deepEqual(compareCoverage(operations, routes).missing, []);
  const [sync] = operations.filter(({ operationId }) => operationId === "sync");
  const without = routes.filter(({ path }) => path !== sync?.path);
  const stranger = { method: "GET", path: "/_matrix/client/v3/stranger" };
  const { missing, beyond: strangers } = compareCoverage(operations, [...without, stranger]);
  assert.deepEqual([missing, strangers], [[sync], [stranger]]);
});

function shownTables(operations: readonly Operation[], mounted: readonly Mounted[]): string {
  const { served, missing } = compareCoverage(operations, mounted);
  const roleOf = (domain: Domain) =>
    roleNames.find((name) => (roles[name].domains as readonly Domain[]).includes(domain));
  const refused = served.filter(({ operation }) => operation.operationId in refusing).length;
  const rows = served.map(({ operation: { method, path, operationId }, mounted: { domain } }) => {
    const note = refusing[operationId] ?? "";
    return `| \`${method} ${path.trim()}\` | \`${operationId}\` | ${roleOf(domain)} | ${note} |`;
  });
  return [
    `${operations.length} operations: ${served.length} are served, ${refused} of them with a refusal alone, and ${missing.length} are not.`,
    "",
    "### Not served",
    "",
    "| request | operation | why |",
    "|---|---|---|",
    ...missing.map(
      ({ method, path, operationId }) => `| \`${method} ${path}\` | \`${operationId}\` | ${notServed[operationId]} |`,
    ),
    "",
    "### Served",
    "",
    "| request | operation | role | what it refuses |",
    "|---|---|---|---|",
    ...rows,
    "",
    "### Beside the specification",
    "",
    "| paths | what they are |",
    "|---|---|",
    ...beyond.map(([prefix, why]) => `| \`${prefix}\`${prefix.endsWith("/") ? "…" : ""} | ${why} |`),
  ].join("\n");
}

test("the documentation shows what is served as it is", async (t) => {
  const dir = specOrSkip(t);
  if (dir === undefined) return;
  const text = readFileSync(PAGE, "utf8");
  const place = /(?<=<!-- coverage: begin -->\n).*(?=\n<!-- coverage: end -->)/s;
  const tables = shownTables(read(dir), await routesOfMatrix());
  if (process.env["PARLEY_UPDATE_DOCS"] === "1")
    writeFileSync(
      PAGE,
      text.replace(place, () => tables),
    );
  else assert.equal(place.exec(text)?.[0], tables);
});
