/** Files that are lent to other processes: what a ticket opens, and what does not. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Person, type Received, registerPerson, request } from "../../../../testkit/src/http.ts";
import { startTestServer, type TestServer } from "../../../../testkit/src/server.ts";
import { newLentTicket } from "./tickets.ts";

const PATH = "/_parley/internal/v1/upload";
const FILE = Buffer.from("alice's file");

let server: TestServer;
let alice: Person;
let bob: Person;
let mediaId: string;
before(async () => {
  server = await startTestServer();
  [alice, bob] = [await registerPerson(server.url, "alice"), await registerPerson(server.url, "bob")];
  const { body } = await request(server.url, "POST", "/_matrix/media/v3/upload", { token: alice.token, body: FILE });
  mediaId = (body.content_uri as string).split("/").at(-1) as string;
});
after(() => server.stop());

const show = (ticket: string): Promise<Received> => request(server.url, "GET", PATH, { token: ticket });
const told = ({ status, body }: Received) => [status, body.errcode];
const ticketOf = (person: Person, of = mediaId) => newLentTicket(server.ctx, { userId: person.userId, mediaId: of });
const REFUSED = [401, "M_UNKNOWN_TOKEN"];

test("a ticket opens its file once", async () => {
  const ticket = await ticketOf(alice);
  const given = await show(ticket);
  assert.deepEqual([given.status, given.body], [200, FILE]);
  assert.equal(given.headers.get("content-length"), `${FILE.length}`);
  assert.equal(given.headers.get("cache-control"), "no-store");
  assert.deepEqual(told(await show(ticket)), REFUSED);
});

test("of two who show a ticket at the same time one is given the file", async () => {
  const ticket = await ticketOf(alice);
  const answers = await Promise.all([show(ticket), show(ticket), show(ticket)]);
  assert.deepEqual(
    answers.map(({ status }) => status).toSorted((a, b) => a - b),
    [200, 401, 401],
  );
});

test("what is no ticket opens nothing, an access token of the file's owner included", async () => {
  assert.deepEqual(told(await request(server.url, "GET", PATH)), [401, "M_MISSING_TOKEN"]);
  const inQuery = `${PATH}?access_token=${await ticketOf(alice)}`;
  assert.deepEqual(told(await request(server.url, "GET", inQuery)), [401, "M_MISSING_TOKEN"]);
  for (const made of ["pml_made_up", alice.token, "pml_"]) assert.deepEqual(told(await show(made)), REFUSED);
});

test("a ticket that has expired opens nothing, also while it stands in the database", async () => {
  const ticket = await ticketOf(alice);
  const { media } = server.ctx.db;
  await media.change("update media.lent_tickets set expires_at = now() - interval '1 millisecond'");
  const stands = (await media.query("select from media.lent_tickets")).length;
  assert.ok(stands > 0);
  assert.deepEqual(told(await show(ticket)), REFUSED);
  const [old] = [await ticketOf(alice)];
  await media.change("update media.lent_tickets set expires_at = now() - interval '1 millisecond'");
  const next = await ticketOf(alice);
  assert.equal((await media.query("select from media.lent_tickets")).length, 1, "the next one takes old ones away");
  assert.deepEqual(told(await show(old)), REFUSED);
  assert.equal((await show(next)).status, 200);
});

test("a ticket of somebody else opens no file that is not theirs, and none that is not there", async () => {
  const { body } = await request(server.url, "POST", "/_matrix/media/v1/create", { token: bob.token });
  const empty = (body.content_uri as string).split("/").at(-1) as string;
  for (const [person, of] of [
    [bob, mediaId],
    [alice, "nosuch"],
    [bob, empty],
  ] as const)
    assert.deepEqual(told(await show(await ticketOf(person, of))), [410, "M_NOT_FOUND"], of);
});

test("the database has the hash of a ticket alone, and no other domain may look", async () => {
  const ticket = await ticketOf(alice);
  const rows = await server.ctx.db.media.query(
    "select t::text as row, encode(ticket_hash, 'escape') as bytes from media.lent_tickets t",
  );
  assert.ok(rows.length > 0 && !JSON.stringify(rows).includes(ticket.slice(4)));
  for (const domain of ["auth", "console", "rooms"] as const)
    await assert.rejects(server.ctx.db[domain].query("select from media.lent_tickets"), /permission denied/);
});
