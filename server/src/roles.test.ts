/** The table of roles against the routes that the domains really have. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { pathsOf } from "./http.ts";
import { type Domain, placeOf, roleNames, roles } from "./roles.ts";
import { domains } from "./server.ts";

interface Mounted {
  domain: Domain;
  path: string;
}

async function mounted(): Promise<Mounted[]> {
  const loaded = await Promise.all(
    (Object.keys(domains) as Domain[]).map(async (domain) => ({ domain, module: await domains[domain]() })),
  );
  return loaded.flatMap(({ domain, module }) => module.routes.flatMap(pathsOf).map((path) => ({ domain, path })));
}

/** The path as somebody asks for it. */
function asked(path: string): string {
  return path.replaceAll(/:[^/]+/g, "%21x").replace("*", "any/thing.js");
}

test("every path of a domain stands in the table under the role that mounts the domain", async () => {
  for (const { domain, path } of await mounted()) {
    const role = roleNames.find((name) => (roles[name].domains as readonly string[]).includes(domain));
    assert.equal(placeOf(asked(path))?.role, role, path);
  }
});

test("every line of the table is there for some path", async () => {
  const used = new Set((await mounted()).map(({ path }) => placeOf(asked(path))?.pattern));
  const lines = roleNames.flatMap((role) => [...roles[role].paths]);
  assert.deepEqual(
    lines.filter((line) => !used.has(line)),
    [],
  );
});

test("the more specific line goes before the other", () => {
  const role = (path: string) => placeOf(path)?.role;
  assert.equal(role("/_matrix/client/v3/rooms/!a/send/m.room.message/1"), "messages");
  assert.equal(role("/_matrix/client/v3/rooms/!a/typing/@a:b"), "presence");
  assert.equal(role("/_matrix/client/r0/rooms/typing/receipt/x/y"), "presence");
  assert.equal(role("/_matrix/client/v3/rooms/!a/typings"), "messages");
  assert.equal(role("/_matrix/client/versions"), "auth");
});

test("an address of the web app is the web's, and an unknown one of an API nobody's", () => {
  assert.equal(placeOf("/")?.role, "web");
  assert.equal(placeOf("/room/!a:b")?.role, "web");
  assert.equal(placeOf("/_matrix/client/v3/nothing"), undefined);
  assert.equal(placeOf("/_other"), undefined);
  assert.equal(placeOf("/health/ready"), undefined);
  assert.equal(placeOf("/.well-known/matrix/client")?.role, "auth");
  assert.equal(placeOf("/.well-known/other"), undefined);
});

/** The table as docs/operations/roles.md shows it. */
function shownTable(): string {
  const rows = roleNames.map((name) => {
    const { domains: of, paths } = roles[name];
    return `| \`${name}\` | ${of.join(", ")} | ${paths.map((path) => `\`${path}\``).join("<br>")} |`;
  });
  return ["| role | domains | paths |", "|---|---|---|", ...rows].join("\n");
}

test("the documentation shows the table as it is", () => {
  const page = new URL("../../docs/operations/roles.md", import.meta.url);
  const text = readFileSync(page, "utf8");
  const place = /(?<=<!-- roles: begin -->\n).*(?=\n<!-- roles: end -->)/s;
  // PARLEY_UPDATE_DOCS=1 writes the table.
  if (process.env["PARLEY_UPDATE_DOCS"] === "1") writeFileSync(page, text.replace(place, shownTable));
  else assert.equal(place.exec(text)?.[0], shownTable());
});
