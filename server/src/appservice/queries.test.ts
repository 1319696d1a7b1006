/** What the server asks application services, and what clients learn through it: users, rooms, networks, and whether they are there. */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { askAs, type AskedOfService, startService, type TestService } from "../../../testkit/src/appservice.ts";
import { type Json, registerPerson } from "../../../testkit/src/http.ts";
import { listening } from "../../../testkit/src/listening.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { askService, Unreached } from "./client.ts";
import { unreached } from "./ping.ts";
import type { Service } from "./service.ts";

const V3 = "/_matrix/client/v3";
const GHOST = "@_irc_ana:localhost";
const ALIAS = "#_irc_parley:localhost";
const encoded = encodeURIComponent;

/** Makes users and rooms when it is asked for them, as bridges do. */
function provide(server: TestServer, service: TestService) {
  service.answer = async ({ path }: AskedOfService) => {
    if (path === `/_matrix/app/v1/users/${GHOST}`) {
      const body = { type: "m.login.application_service", username: "_irc_ana", inhibit_login: true };
      await askAs(server.url, service, "POST", `${V3}/register`, {}, body);
      return { status: 200 };
    }
    if (path === `/_matrix/app/v1/rooms/${ALIAS}`) {
      const body = { room_alias_name: "_irc_parley", preset: "public_chat" };
      await askAs(server.url, service, "POST", `${V3}/createRoom`, {}, body);
      return { status: 200 };
    }
    return path.includes("/transactions/") ? { status: 200 } : { status: 404, body: { errcode: "M_NOT_FOUND" } };
  };
}

const questions = ({ asked }: TestService) =>
  asked.map(({ path }) => path).filter((path) => !path.includes("/transactions/"));

test("a user or a room that is not here yet is made by the service whose name it has, and nobody else is asked", async () => {
  await using irc = await startService("irc");
  await using other = await startService("other");
  await using server = await startTestServer({ config: { appservices: [irc.file, other.file] } });
  provide(server, irc);
  const bob = await registerPerson(server.url, "bob");
  const { room_id } = await bob.call("POST", `${V3}/createRoom`, {});
  await bob.call("POST", `${V3}/rooms/${encoded(room_id)}/invite`, { user_id: GHOST });
  const joined = await bob.call("POST", `${V3}/join/${encoded(ALIAS)}`, {});
  assert.equal((await bob.call("GET", `${V3}/directory/room/${encoded(ALIAS)}`)).room_id, joined.room_id);
  assert.equal((await bob.call("GET", `${V3}/profile/${encoded(GHOST)}`)).displayname, "_irc_ana");
  assert.deepEqual(questions(irc), [`/_matrix/app/v1/users/${GHOST}`, `/_matrix/app/v1/rooms/${ALIAS}`]);
  const nobody = encoded("@_irc_nobody:localhost");
  for (let i = 0; i < 3; i++) assert.equal((await bob.ask("GET", `${V3}/profile/${nobody}`)).status, 404);
  assert.equal((await bob.ask("POST", `${V3}/join/${encoded("#_irc_none:localhost")}`, {})).status, 404);
  assert.equal(questions(irc).length, 4);
  assert.deepEqual(questions(other), []);
});

test("where the service that would know can not be reached, it is asked again, and then the request has timed out", async () => {
  await using irc = await startService("irc", { url: "http://127.0.0.1:1" });
  await using server = await startTestServer({ config: { appservices: [irc.file] } });
  const bob = await registerPerson(server.url, "bob");
  const answer = await bob.ask("POST", `${V3}/join/${encoded(ALIAS)}`, {});
  assert.equal(answer.status, 408);
});

test("a ping says how long it took, or what was wrong, word by word", async () => {
  await using irc = await startService("irc");
  await using other = await startService("other", { url: null });
  await using gone = await startService("gone", { url: "http://127.0.0.1:1" });
  await using server = await startTestServer({ config: { appservices: [irc.file, other.file, gone.file] } });
  const ping = (service: TestService, id = service.id) =>
    askAs(server.url, service, "POST", `/_matrix/client/v1/appservice/${id}/ping`, {}, { transaction_id: "meow" });
  const well = await ping(irc);
  assert.ok(well.body.duration_ms >= 0);
  const asked = irc.asked.find(({ path }) => path === "/_matrix/app/v1/ping");
  assert.deepEqual([asked?.method, asked?.token, asked?.body], ["POST", irc.hsToken, { transaction_id: "meow" }]);
  irc.answer = () => ({ status: 403, body: { errcode: "M_FORBIDDEN" } });
  const bad = await ping(irc);
  assert.deepEqual(
    [bad.status, bad.body.errcode, bad.body.status, bad.body.body],
    [502, "M_BAD_STATUS", 403, '{"errcode":"M_FORBIDDEN"}'],
  );
  const other_ = await ping(irc, "other");
  assert.deepEqual([other_.status, other_.body.errcode], [403, "M_FORBIDDEN"]);
  const unset = await ping(other);
  assert.deepEqual([unset.status, unset.body.errcode], [400, "M_URL_NOT_SET"]);
  const refused = await ping(gone);
  assert.deepEqual([refused.status, refused.body.errcode], [502, "M_CONNECTION_FAILED"]);
  const bob = await registerPerson(server.url, "bob");
  const person = await bob.ask("POST", "/_matrix/client/v1/appservice/irc/ping", {});
  assert.deepEqual([person.status, person.body.errcode], [403, "M_FORBIDDEN"]);
});

test("a service that does not answer in time is told from one that is not there", async () => {
  await using silent = await listening(createServer());
  const file = await startService("slow", { url: `http://127.0.0.1:${silent.port}` });
  await using server = await startTestServer({ config: { appservices: [file.file] } });
  const slow = server.ctx.services.byId("slow") as Service;
  const asked = askService(server.ctx, slow, { method: "POST", path: "/ping", timeout_ms: 50 });
  await assert.rejects(asked, (error: Error) => error instanceof Unreached && error.isTimeout);
  const answer = unreached(new Unreached("", true));
  assert.deepEqual([answer.status, answer.errcode], [504, "M_CONNECTION_TIMEOUT"]);
  await file[Symbol.asyncDispose]();
});

const protocol = (network: string) => ({
  user_fields: ["nickname"],
  location_fields: ["channel"],
  icon: "mxc://localhost/icon",
  field_types: { nickname: { regexp: ".*", placeholder: "ana" }, channel: { regexp: "#.*", placeholder: "#parley" } },
  instances: [{ desc: network, fields: { network }, network_id: network }],
});

test("what services know of their networks is put together, each instance with an id; nonsense counts as nothing", async () => {
  await using one = await startService("one", { protocols: ["irc"] });
  await using two = await startService("two", { protocols: ["irc", "broken"] });
  await using server = await startTestServer({ config: { appservices: [one.file, two.file] } });
  const place = { alias: "#one_parley:localhost", protocol: "irc", fields: { channel: "#parley" } };
  const answers =
    (own: string): TestService["answer"] =>
    ({ path }) => {
      if (path.endsWith("/protocol/irc")) return { status: 200, body: protocol(own) };
      if (path.endsWith("/protocol/broken")) return { status: 200, body: { user_fields: 1 } };
      if (path.endsWith("/location/irc") || path.endsWith("/location")) return { status: 200, body: [place] };
      return { status: path.includes("/transactions/") ? 200 : 404, body: { errcode: "M_NOT_FOUND" } };
    };
  [one.answer, two.answer] = [answers("libera"), answers("oftc")];
  const bob = await registerPerson(server.url, "bob");
  const all = await bob.call("GET", `${V3}/thirdparty/protocols`);
  assert.deepEqual(Object.keys(all), ["irc"]);
  assert.deepEqual(
    all.irc.instances.map(({ instance_id }: Json) => instance_id),
    ["one|libera", "two|oftc"],
  );
  assert.equal((await bob.call("GET", `${V3}/thirdparty/protocol/irc`)).instances.length, 2);
  assert.equal((await bob.ask("GET", `${V3}/thirdparty/protocol/none`)).status, 404);
  assert.deepEqual(await bob.call("GET", `${V3}/thirdparty/location/irc?channel=%23parley`), [place]);
  const asked = two.asked.find(({ path }) => path.endsWith("/location/irc"));
  assert.equal(asked?.query.get("channel"), "#parley");
  assert.deepEqual(await bob.call("GET", `${V3}/thirdparty/location?alias=${encoded(place.alias)}`), [place]);
  assert.equal((await bob.ask("GET", `${V3}/thirdparty/user/irc?nickname=nobody`)).status, 404);
});

test("a service lists rooms in directories of its networks, which stand beside the server's own", async () => {
  await using irc = await startService("irc");
  await using server = await startTestServer({ config: { appservices: [irc.file] } });
  const bob = await registerPerson(server.url, "bob");
  const make = async (name: string, visibility: string) =>
    (await bob.call("POST", `${V3}/createRoom`, { name, visibility, preset: "public_chat" })).room_id;
  const [own, bridged] = [await make("own", "public"), await make("bridged", "private")];
  const put = (roomId: string, visibility: string) =>
    askAs(server.url, irc, "PUT", `${V3}/directory/list/appservice/libera/${encoded(roomId)}`, {}, { visibility });
  assert.equal((await put(bridged, "public")).status, 200);
  const names = async (asked: object) => {
    const { chunk, total_room_count_estimate: total } = await bob.call("POST", `${V3}/publicRooms`, asked);
    assert.equal(total, chunk.length);
    return chunk.map(({ name }: Json) => name).toSorted();
  };
  assert.deepEqual(await names({}), ["own"]);
  assert.deepEqual(await names({ third_party_instance_id: "irc|libera" }), ["bridged"]);
  assert.deepEqual(await names({ third_party_instance_id: "irc|oftc" }), []);
  for (const yes of [true, "true"]) assert.deepEqual(await names({ include_all_networks: yes }), ["bridged", "own"]);
  await put(own, "public");
  await bob.call("PUT", `${V3}/directory/list/room/${encoded(own)}`, { visibility: "private" });
  assert.deepEqual(await names({}), []);
  assert.deepEqual(await names({ third_party_instance_id: "irc|libera" }), ["bridged", "own"]);
  await bob.call("PUT", `${V3}/directory/list/room/${encoded(bridged)}`, { visibility: "public" });
  assert.equal((await put(bridged, "private")).status, 200);
  assert.deepEqual(await names({ include_all_networks: true }), ["bridged", "own"]);
  assert.deepEqual(await names({}), ["bridged"]);
  const person = await bob.ask("PUT", `${V3}/directory/list/appservice/libera/${encoded(own)}`, {
    visibility: "public",
  });
  assert.deepEqual([person.status, person.body.errcode], [403, "M_FORBIDDEN"]);
});
