/** The web app's files: one page for all addresses that are the app's own, a strict policy, caching, encodings. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import type { Context } from "../context.ts";
import type { Answer } from "../http.ts";
import { routes, start } from "./routes.ts";

const folder = mkdtempSync(join(tmpdir(), "parley-web-"));
after(() => rmSync(folder, { recursive: true }));
mkdirSync(join(folder, "assets"));
const page = "<!doctype html><title>Parley</title>";
const script = "export const a = 1;".repeat(50);
writeFileSync(join(folder, "index.html"), page);
writeFileSync(join(folder, "assets", "main-4f2a.js"), script);
writeFileSync(join(folder, "icon.png"), Buffer.from([0x89, 0x50]));

const consolePage = "<!doctype html><title>Console</title>";
const consoleFolder = join(folder, "console");
mkdirSync(join(consoleFolder, "assets"), { recursive: true });
writeFileSync(join(consoleFolder, "index.html"), consolePage);
writeFileSync(join(consoleFolder, "assets", "index-9c1d.js"), script);

const ctx = {} as Context;
await start(ctx, folder, consoleFolder);

async function get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return (await routes[0]?.handle({ path, headers } as never, ctx)) as Answer;
}

const text = (payload: Answer["payload"]) => (Buffer.isBuffer(payload) ? payload.toString() : "");

test("the page is there for every address of the app, and is looked at anew each time", async () => {
  for (const path of ["/", "/index.html", "/room/!a:b", "/settings/security", "/a%20b"]) {
    const { status, headers, payload } = await get(path);
    assert.deepEqual(
      [status, headers["content-type"], headers["cache-control"]],
      [200, "text/html; charset=utf-8", "no-cache"],
    );
    assert.equal(text(payload), page);
  }
});

test("paths of an API and files that are not there are never the page", async () => {
  for (const path of ["/_matrix/client/v3/nothing", "/_parley/x", "/.well-known/matrix/none", "/assets/gone-1.js"])
    await assert.rejects(get(path), { errcode: "M_UNRECOGNIZED", status: 404 });
  await assert.rejects(get("/%zz"), { errcode: "M_INVALID_PARAM" });
});

test("the console's page is there for every address below /admin, and for no other", async () => {
  for (const path of ["/admin", "/admin/", "/admin/users/@ana:b/devices", "/admin/audit"])
    assert.equal(text((await get(path)).payload), consolePage, path);
  for (const path of ["/administration", "/room/admin"]) assert.equal(text((await get(path)).payload), page, path);
  assert.match((await get("/admin/assets/index-9c1d.js")).headers["cache-control"] ?? "", /immutable/);
  await assert.rejects(get("/admin/assets/gone-1.js"), { errcode: "M_UNRECOGNIZED", status: 404 });
});

test("the console may speak with this server alone, and run nothing but its own scripts", async () => {
  const policy = (await get("/admin")).headers["content-security-policy"] ?? "";
  for (const rule of ["script-src 'self'", "connect-src 'self'", "trusted-types 'none'"])
    assert.ok(policy.split("; ").includes(rule), rule);
});

test("no address reaches outside the folder", async () => {
  for (const path of ["/../package.json", "/%2e%2e/package.json", "/assets/..%2f..%2fpackage.json", "//etc/passwd"]) {
    const answer = await get(path).catch((error: { errcode?: string }) => error);
    assert.ok("errcode" in answer || text((answer as Answer).payload) === page);
  }
});

test("every answer forbids scripts from elsewhere, inline scripts, framing and plug-ins", async () => {
  for (const path of ["/", "/assets/main-4f2a.js"]) {
    const { headers } = await get(path);
    const policy = new Map(
      (headers["content-security-policy"] ?? "").split("; ").map((rule) => {
        const [name = "", ...values] = rule.split(" ");
        return [name, values];
      }),
    );
    assert.deepEqual(policy.get("script-src"), ["'self'", "'wasm-unsafe-eval'"]);
    for (const none of ["object-src", "base-uri", "frame-ancestors"]) assert.deepEqual(policy.get(none), ["'none'"]);
    assert.equal([...policy.values()].flat().includes("'unsafe-inline'"), false);
    assert.equal(headers["x-content-type-options"], "nosniff");
    assert.equal(headers["referrer-policy"], "no-referrer");
  }
});

test("a file whose name has its hash is kept for ever; who has it is told so", async () => {
  const { headers } = await get("/assets/main-4f2a.js");
  assert.match(headers["cache-control"] ?? "", /immutable/);
  const again = await get("/assets/main-4f2a.js", { "if-none-match": headers["etag"] as string });
  assert.deepEqual([again.status, again.payload], [304, ""]);
});

test("a file goes out in the best encoding that the client takes, and what is packed already as it is", async () => {
  const best = await get("/assets/main-4f2a.js", { "accept-encoding": "gzip, deflate, br" });
  assert.equal(best.headers["content-encoding"], "br");
  assert.equal(brotliDecompressSync(best.payload as Buffer).toString(), script);
  const older = await get("/assets/main-4f2a.js", { "accept-encoding": "gzip" });
  assert.equal(older.headers["content-encoding"], "gzip");
  assert.equal(gunzipSync(older.payload as Buffer).toString(), script);
  assert.equal(older.headers["vary"], "accept-encoding");
  assert.equal((await get("/assets/main-4f2a.js")).headers["content-encoding"], undefined);
  assert.equal((await get("/icon.png", { "accept-encoding": "br" })).headers["content-encoding"], undefined);
});

test("without a built app the server says how to build it", async () => {
  const empty = {} as Context;
  await start(empty, join(folder, "none"));
  await assert.rejects(async () => routes[0]?.handle({ path: "/", headers: {} } as never, empty), /npm run build/);
});
