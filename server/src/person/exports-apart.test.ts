/**
 * An archive that is fetched from a process that does not have the uploads: the files are asked for where they are, and the archive is
 * refused, or breaks off, where they are not to be had. It is never given without them.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import type { Readable } from "node:stream";
import { test } from "node:test";
import { unzipSync } from "fflate";
import { type Json, type Person, registerPerson, request } from "../../../testkit/src/http.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { openTcpProxy } from "../../../testkit/src/tcp-proxy.ts";
import { soon } from "../../../testkit/src/wait.ts";
import { limits } from "../limits.ts";
import { storeOf } from "../media/store.ts";
import { roleNames } from "../roles.ts";
import { runJobs } from "../worker/jobs.ts";

const EXPORTS = "/_parley/client/v1/exports";
/** More than what fits between a file and somebody who does not read. */
const MUCH_BYTES = 32 * 1_048_576;

/** A server that has the uploads and all else but `web`. The jobs are worked on by the test itself. */
function startKeeper(): Promise<TestServer> {
  return startTestServer({ config: { roles: roleNames.filter((role) => role !== "worker" && role !== "web") } });
}

/** One with `web` alone, which finds the uploads at these addresses. */
function startApart({ databaseUrl }: TestServer, ...media: string[]): Promise<TestServer> {
  const upstreams = media.length > 0 ? { media } : {};
  return startTestServer({ databaseUrl, config: { roles: ["web"], upstreams } });
}

/** Gives the id of the file. */
async function upload({ url }: TestServer, { token }: Person, body: Buffer): Promise<string> {
  const { body: uploaded } = await request(url, "POST", "/_matrix/media/v3/upload", { token, body });
  return (uploaded.content_uri as string).split("/").at(-1) as string;
}

/** Has an export made, and gives the path of its archive. */
async function exported(keeper: TestServer, apart: TestServer, { token }: Person): Promise<string> {
  const { body } = await request(apart.url, "POST", EXPORTS, { token, body: {} });
  await runJobs(keeper.ctx);
  return `${EXPORTS}/${body.export_id}/archive`;
}

function filesIn(zip: Buffer): Record<string, Buffer> {
  return Object.fromEntries(Object.entries(unzipSync(zip)).map(([name, bytes]) => [name, Buffer.from(bytes)]));
}

async function fetches(apart: TestServer, { token }: Person): Promise<number> {
  const { body } = await request(apart.url, "GET", EXPORTS, { token });
  return (body.exports as Json[]).flatMap((each) => each.fetches as Json[]).length;
}

/** Somebody else's program where the role media should be. */
async function startStranger(answer: RequestListener): Promise<AsyncDisposable & { url: string }> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async () => {
    server.close().closeAllConnections();
    await once(server, "close");
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, [Symbol.asyncDispose]: close };
}

test("the files of an archive are those that the role media has, and no ticket for them is left", async () => {
  await using keeper = await startKeeper();
  await using apart = await startApart(keeper, keeper.url);
  const [alice, bob] = [await registerPerson(keeper.url, "alice"), await registerPerson(keeper.url, "bob")];
  const own = [Buffer.from("a file"), Buffer.alloc(0), randomBytes(3_000_000)];
  const ids: string[] = [];
  for (const each of own) ids.push(await upload(keeper, alice, each));
  const others = await upload(keeper, bob, Buffer.from("bob's file"));
  const path = await exported(keeper, apart, alice);
  const { status, body } = await request(apart.url, "GET", path, { token: alice.token });
  assert.equal(status, 200);
  const files = filesIn(body);
  for (const [i, id] of ids.entries()) assert.deepEqual(files[`media/${id}`], own[i]);
  assert.equal(Object.keys(files).filter((name) => name.startsWith("media/")).length, own.length);
  assert.ok(!(`media/${others}` in files));
  assert.deepEqual(await keeper.ctx.db.media.query("select from media.lent_tickets"), []);
});

test("a file that the store lost is an empty one, as it is for a process that has the store", async () => {
  await using keeper = await startKeeper();
  await using apart = await startApart(keeper, keeper.url);
  const alice = await registerPerson(keeper.url, "alice");
  const [lost, kept] = [
    await upload(keeper, alice, Buffer.from("lost")),
    await upload(keeper, alice, Buffer.from("kept")),
  ];
  const path = await exported(keeper, apart, alice);
  const [row] = await keeper.ctx.db.media.query<{ sha256: string }>(
    "select sha256 from media.media where media_id = $1",
    [lost],
  );
  await (await storeOf(keeper.ctx)).remove(row?.sha256 as string);
  const files = filesIn((await request(apart.url, "GET", path, { token: alice.token })).body);
  assert.deepEqual([`${files[`media/${lost}`]}`, `${files[`media/${kept}`]}`], ["", "kept"]);
});

test("where no setting says who has the files, an archive with files is refused, and one without is given", async () => {
  await using keeper = await startKeeper();
  await using apart = await startApart(keeper);
  const [alice, bob] = [await registerPerson(keeper.url, "alice"), await registerPerson(keeper.url, "bob")];
  await upload(keeper, alice, Buffer.from("a file"));
  const { token } = alice;
  const { status, body } = await request(apart.url, "GET", await exported(keeper, apart, alice), { token });
  assert.deepEqual([status, body.errcode], [501, "M_UNKNOWN"]);
  assert.match(body.error, /does not reach the files that the person has uploaded.*MEDIA_URL.*STORAGE_PROVIDER/);
  const ofBob = await exported(keeper, apart, bob);
  assert.equal((await request(apart.url, "GET", ofBob, { token: bob.token })).status, 200);
});

test("while nobody gives the files, an archive is refused before it begins and counts as fetched by nobody", async () => {
  await using keeper = await startKeeper();
  const { port } = new URL(keeper.url);
  await using way = await openTcpProxy(() => ({ port: Number(port) }));
  await using apart = await startApart(keeper, `http://127.0.0.1:${way.port}`);
  const alice = await registerPerson(keeper.url, "alice");
  const { token } = alice;
  const id = await upload(keeper, alice, Buffer.from("a file"));
  const path = await exported(keeper, apart, alice);
  way.behave("refuse");
  const refused = await request(apart.url, "GET", path, { token });
  assert.deepEqual([refused.status, refused.body.errcode], [503, "IO_PARLEY_UNAVAILABLE"]);
  assert.ok(Number(refused.headers.get("retry-after")) > 0);
  assert.equal(await fetches(apart, alice), 0);
  way.behave("pass");
  const given = await request(apart.url, "GET", path, { token });
  assert.equal(`${filesIn(given.body)[`media/${id}`]}`, "a file");
  assert.equal(await fetches(apart, alice), 1);
});

test("a process that does not answer is left for one that does", async () => {
  await using keeper = await startKeeper();
  const nobody = await startStranger(() => {});
  await nobody[Symbol.asyncDispose]();
  await using apart = await startApart(keeper, nobody.url, keeper.url);
  const alice = await registerPerson(keeper.url, "alice");
  const ids = [await upload(keeper, alice, Buffer.from("one")), await upload(keeper, alice, Buffer.from("two"))];
  const path = await exported(keeper, apart, alice);
  const files = filesIn((await request(apart.url, "GET", path, { token: alice.token })).body);
  assert.deepEqual(
    ids.map((id) => `${files[`media/${id}`]}`),
    ["one", "two"],
  );
});

test("what answers in the place of the files is not taken for one", async () => {
  await using keeper = await startKeeper();
  const alice = await registerPerson(keeper.url, "alice");
  await upload(keeper, alice, Buffer.from("a file"));
  const answers: RequestListener[] = [
    (_incoming, outgoing) => void outgoing.setHeader("content-type", "text/html").end("<!doctype html>"),
    (_incoming, outgoing) => void outgoing.writeHead(200, { "transfer-encoding": "chunked" }).end("a file"),
    (_incoming, outgoing) => void outgoing.writeHead(404).end(),
    (_incoming, outgoing) => void outgoing.writeHead(307, { location: keeper.url }).end(),
    (incoming) => void incoming.socket.destroy(),
  ];
  for (const answer of answers) {
    await using stranger = await startStranger(answer);
    await using apart = await startApart(keeper, stranger.url);
    const path = await exported(keeper, apart, alice);
    const { status, body } = await request(apart.url, "GET", path, { token: alice.token });
    assert.deepEqual([status, body.errcode], [503, "IO_PARLEY_UNAVAILABLE"], `${answer}`);
  }
});

test("an archive breaks off where the process that has the files dies in the middle of one", async () => {
  await using keeper = await startKeeper();
  const { port } = new URL(keeper.url);
  await using way = await openTcpProxy(() => ({ port: Number(port) }));
  await using apart = await startApart(keeper, `http://127.0.0.1:${way.port}`);
  const alice = await registerPerson(keeper.url, "alice");
  await upload(keeper, alice, randomBytes(MUCH_BYTES));
  const headers = { authorization: `Bearer ${alice.token}` };
  const answer = await fetch(apart.url + (await exported(keeper, apart, alice)), { headers });
  assert.equal(answer.status, 200);
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  let read_bytes = 0;
  while (read_bytes < 1_048_576) read_bytes += (await reader.read()).value?.length ?? 0;
  way.behave("refuse");
  const rest = async () => {
    for (;;) if ((await reader.read()).done) return;
  };
  await assert.rejects(soon("the archive breaks off", rest()), /terminated/);
});

test("whoever does not read an archive on holds no file open where the files are", async () => {
  await using keeper = await startKeeper();
  await using apart = await startApart(keeper, keeper.url);
  const alice = await registerPerson(keeper.url, "alice");
  await upload(keeper, alice, randomBytes(MUCH_BYTES));
  const path = await exported(keeper, apart, alice);
  const store = await storeOf(keeper.ctx);
  const { get } = store;
  const opened: Readable[] = [];
  const second = Promise.withResolvers<Readable>();
  store.get = async (sha256) => {
    const file = (await get.call(store, sha256)) as Readable;
    // The first one is a look at whether there are any.
    if (opened.push(file) === 2) second.resolve(file);
    return file;
  };
  const begun_ms = performance.now();
  const answer = await fetch(apart.url + path, { headers: { authorization: `Bearer ${alice.token}` } });
  const file = await soon("the file is asked for", second.promise);
  await answer.body?.cancel();
  for (const each of opened) if (!each.closed) await soon("the file is let go", once(each, "close"));
  assert.ok(performance.now() - begun_ms < limits.upstreamSilence_ms / 2, "not only because nobody wanted it for long");
  assert.ok((file as Readable & { bytesRead: number }).bytesRead < MUCH_BYTES, "nobody took all of it");
});

test("a process that knows who has the files is no door to them", async () => {
  await using keeper = await startKeeper();
  await using apart = await startApart(keeper, keeper.url);
  const { token } = await registerPerson(keeper.url, "alice");
  for (const path of ["/_matrix/client/v1/media/config", "/_parley/internal/v1/upload"]) {
    const { status, body } = await request(apart.url, "GET", path, { token });
    assert.deepEqual([status, body.errcode], [404, "M_UNRECOGNIZED"], path);
  }
});
