/**
 * G8: what the log says of a session is over once the session stands anew. A device that signs in again, a bot with a new token and
 * an account that is unlocked go on from where they were: a client that is told that its session has ended forgets its keys.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Json, type Person, registerPerson, request, signInPerson } from "../../../testkit/src/http.ts";
import { makeAdministrator } from "../../../testkit/src/operators.ts";
import { startTestServer, type TestServer, untilSyncsWait } from "../../../testkit/src/server.ts";
import { SLIDING } from "../../../testkit/src/sliding.ts";
import { openSocket, openStream } from "../../../testkit/src/stream.ts";
import { readEntries } from "../log/queries.ts";

const CLIENT = "/_matrix/client/v3";
const ADMIN = "/_parley/admin/v1";
const TICKET = "/_parley/client/v1/stream/ticket";

type Holder = Pick<Person, "token">;

let server: TestServer;
let root: Person;
before(async () => {
  server = await startTestServer({ config: { bus: "postgresql", ephemeral: "postgresql" } });
  root = await makeAdministrator(server, "root");
});
after(() => server.stop());

const ask = ({ token }: Holder, ...[method, path, url = server.url]: [string, string, string?]) =>
  request(url, method, path, { token, ...(method === "POST" ? { body: {} } : {}) });

const mark = async (holder: Holder): Promise<string> =>
  (await ask(holder, "GET", `${CLIENT}/sync`)).body.next_batch as string;

/** What a session is told that has not ended. */
const FOLLOWS = { sync: 200, sliding: 200, stream: "ready" };

/** How the ways to follow the log take the session that was at `since`. */
async function follows(holder: Holder, { since, pos }: { since: string; pos: string }) {
  const sync = await ask(holder, "GET", `${CLIENT}/sync?timeout=0&since=${since}`);
  const sliding = await ask(holder, "POST", `${SLIDING}?timeout=0&pos=${pos}`);
  using stream = await openSocket(server.url);
  stream.send({ type: "sign_in", access_token: holder.token, since });
  const first = await stream.until(() => true);
  await stream.until(({ type }) => type === "sync" || type === "heartbeat" || type === "error");
  const last = stream.frames.find(({ type }) => type === "error") ?? first;
  return { sync: sync.status, sliding: sliding.status, stream: last.type as string };
}

const stand = async (holder: Holder) => ({
  since: await mark(holder),
  pos: (await ask(holder, "POST", `${SLIDING}?timeout=0`)).body.pos as string,
});

test("a device that signs in again goes on from where it was, and what it had before goes on nowhere", async () => {
  const before = await registerPerson(server.url, "again");
  const at = await stand(before);
  const now = await signInPerson(server.url, "again", { device_id: before.deviceId });
  assert.deepEqual(await follows(now, at), FOLLOWS);
  assert.equal(
    (await ask(before, "GET", `${CLIENT}/sync?timeout=0&since=${at.since}`)).body.errcode,
    "M_UNKNOWN_TOKEN",
  );
});

test("a bot with a new token goes on from where it was", async () => {
  await root.call("POST", `${ADMIN}/bots`, { username: "deploys", owner: "root", display_name: "D", purpose: "P" });
  const tokens = `${ADMIN}/bots/@deploys:localhost/tokens`;
  const first: Json = await root.call("POST", tokens, { name: "reader", scopes: ["read"] });
  const since = await mark({ token: first.access_token });
  const next: Json = await root.call("POST", `${tokens}/${first.token_id}/rotate`, { overlap_s: 0 });
  const synced = await ask({ token: next.access_token }, "GET", `${CLIENT}/sync?timeout=0&since=${since}`);
  assert.equal(synced.status, 200, JSON.stringify(synced.body));
});

test("an account that is unlocked goes on from where it was", async () => {
  const ana = await registerPerson(server.url, "ana");
  const at = await stand(ana);
  for (const locked of [true, false])
    await root.call("PUT", `${CLIENT.replace("v3", "v1")}/admin/lock/${ana.userId}`, { locked });
  assert.deepEqual(await follows(ana, at), FOLLOWS);
});

test("a process that is behind takes the ending that it hears late for what it is, and a new one too", async () => {
  await using behind = await startTestServer({
    databaseUrl: server.databaseUrl,
    config: { bus: "postgresql", ephemeral: "postgresql" },
  });
  const before = await registerPerson(server.url, "late");
  const since = await mark(before);
  // From here on it hears what it is told, and nothing else.
  const { hub } = behind.ctx.log;
  await hub.reached(server.ctx.log.hub.head());
  hub.close();
  const hear = async () => {
    const { entries } = await readEntries(server.ctx.db.log, hub.head(), 100);
    hub.offer(entries);
    return entries.flatMap(({ kind, type }) => (kind === "session" && type === "ended" ? [type] : []));
  };
  const now = await signInPerson(server.url, "late", { device_id: before.deviceId });
  const { body } = await ask(now, "POST", TICKET);
  using byToken = await openStream(behind.url, now, { since });
  using byTicket = await openSocket(behind.url);
  byTicket.send({ type: "sign_in", ticket: body.ticket, since });
  await byTicket.until(({ type }) => type === "ready");
  const waiting = ask(now, "GET", `${CLIENT}/sync?timeout=20000&since=${since}`, behind.url);
  await untilSyncsWait(behind, 1);

  assert.deepEqual(await hear(), ["ended"]);
  await now.call("PUT", `${CLIENT}/user/${now.userId}/account_data/a.note`, {});
  await hear();
  assert.equal((await waiting).status, 200);
  const isTold = ({ type, sync }: Json) => type === "sync" && JSON.stringify(sync).includes("a.note");
  for (const stream of [byToken, byTicket]) await stream.until(isTold);

  const { body: synced } = await waiting;
  const last = ask(now, "GET", `${CLIENT}/sync?timeout=20000&since=${synced.next_batch}`, behind.url);
  await untilSyncsWait(behind, 1);
  await now.call("POST", `${CLIENT}/logout`, {});
  assert.deepEqual(await hear(), ["ended"]);
  assert.equal((await last).body.errcode, "M_UNKNOWN_TOKEN");
  for (const stream of [byToken, byTicket]) assert.equal((await stream.closed).reason.errcode, "M_UNKNOWN_TOKEN");
});
