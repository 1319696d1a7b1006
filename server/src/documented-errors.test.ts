/**
 * Errors that the specification documents at an operation, each caused by a request: the status and the errcode are what it says there.
 * Those that take more than a request to cause are with the tests of their domains.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Person, request } from "../../testkit/src/http.ts";
import { startNeighbours } from "../../testkit/src/neighbours.ts";
import { createRoom, testRoom } from "../../testkit/src/room.ts";

const V1 = "/_matrix/client/v1";
const V3 = "/_matrix/client/v3";
const MEDIA = "/_matrix/media/v3/upload/localhost";
const { server, alice, bob } = await startNeighbours(["alice", "bob"]);
const room = await createRoom(alice);
const hidden = testRoom((await alice.call("POST", `${V3}/createRoom`, { room_alias_name: "taken" })).room_id);
const eventId = await room.say(alice, "hello");

type Row = readonly [status: number, errcode: string, method: string, path: string, body?: unknown];

async function check(who: Person | undefined, rows: readonly Row[]): Promise<void> {
  for (const [status, errcode, method, path, body] of rows) {
    const answer = await (who ? who.ask(method, path, body) : request(server.url, method, path, { body }));
    assert.deepEqual([answer.status, answer.body.errcode], [status, errcode], `${method} ${path}`);
  }
}

const ownData = `${V3}/user/${alice.userId}`;
const othersData = `${V3}/user/${bob.userId}`;
const profile = `${V3}/profile/${alice.userId}`;
const rule = `${V3}/pushrules/global/room/!nosuch:localhost`;
const alias = (name: string) => `${V3}/directory/room/${encodeURIComponent(name)}`;

test("account data, filters, profiles and push rules", () =>
  check(alice, [
    [400, "M_BAD_JSON", "PUT", `${ownData}/account_data/x`, [1]],
    [403, "M_FORBIDDEN", "PUT", `${othersData}/account_data/x`, {}],
    [405, "M_BAD_JSON", "PUT", `${ownData}/account_data/m.fully_read`, {}],
    [403, "M_FORBIDDEN", "GET", `${othersData}/account_data/x`],
    [404, "M_NOT_FOUND", "GET", `${ownData}/account_data/x`],
    [400, "M_INVALID_PARAM", "GET", `${ownData}/rooms/no-room/account_data/x`],
    [404, "M_NOT_FOUND", "GET", `${ownData}/filter/9999`],
    [400, "M_MISSING_PARAM", "PUT", `${profile}/displayname`, {}],
    [400, "M_KEY_TOO_LARGE", "PUT", `${profile}/${"k".repeat(256)}`, { ["k".repeat(256)]: 1 }],
    [400, "M_PROFILE_TOO_LARGE", "PUT", `${profile}/org.big`, { "org.big": "x".repeat(65_536) }],
    [403, "M_FORBIDDEN", "PUT", `${V3}/profile/${bob.userId}/displayname`, { displayname: "x" }],
    [404, "M_NOT_FOUND", "GET", `${profile}/org.none`],
    [404, "M_NOT_FOUND", "GET", `${V3}/profile/@nosuch:localhost`],
    [404, "M_NOT_FOUND", "GET", rule],
    [404, "M_NOT_FOUND", "DELETE", rule],
    [404, "M_NOT_FOUND", "PUT", `${rule}/enabled`, { enabled: true }],
    [400, "M_UNKNOWN", "PUT", `${rule}?before=nosuch`, { actions: ["notify"] }],
    [400, "M_MISSING_PARAM", "POST", `${V3}/pushers/set`, { kind: "http" }],
  ]));

test("rooms, aliases and events", () =>
  check(alice, [
    [400, "M_ROOM_IN_USE", "POST", `${V3}/createRoom`, { room_alias_name: "taken" }],
    [400, "M_UNSUPPORTED_ROOM_VERSION", "POST", `${V3}/createRoom`, { room_version: "nope" }],
    [400, "M_UNSUPPORTED_ROOM_VERSION", "POST", `${room.path}/upgrade`, { new_version: "nope" }],
    [400, "M_INVALID_PARAM", "PUT", alias("no-alias"), { room_id: room.id }],
    [409, "M_UNKNOWN", "PUT", alias("#taken:localhost"), { room_id: room.id }],
    [404, "M_NOT_FOUND", "GET", alias("#nosuch:localhost")],
    [404, "M_NOT_FOUND", "DELETE", alias("#nosuch:localhost")],
    [400, "M_INVALID_PARAM", "GET", `${V3}/rooms/no-room/aliases`],
    [400, "M_BAD_ALIAS", "PUT", `${room.path}/state/m.room.canonical_alias/`, { alias: "#nosuch:localhost" }],
    [400, "M_INVALID_PARAM", "PUT", `${room.path}/state/m.room.canonical_alias/`, { alias: "no-alias" }],
    [400, "M_UNKNOWN", "POST", `${room.path}/forget`, {}],
    [400, "M_INVALID_PARAM", "POST", `${room.path}/receipt/m.nosuch/${eventId}`, {}],
    [404, "M_NOT_FOUND", "GET", `${room.path}/event/$nosuch`],
    [404, "M_NOT_FOUND", "GET", `${room.pathV1}/relations/$nosuch`],
    [404, "M_NOT_FOUND", "GET", `${room.pathV1}/timestamp_to_event?ts=1&dir=b`],
    [404, "M_NOT_FOUND", "POST", `${room.path}/report/$nosuch`, { reason: "x" }],
    [400, "M_INVALID_PARAM", "GET", `${room.pathV1}/threads?from=nosuch`],
    [400, "M_INVALID_PARAM", "GET", `${room.pathV1}/hierarchy?from=nosuch`],
    [404, "M_NOT_FOUND", "GET", `${V1}/room_summary/!nosuch:localhost`],
    [404, "M_NOT_FOUND", "GET", `${V3}/directory/list/room/!nosuch:localhost`],
    [404, "M_NOT_FOUND", "POST", `${V3}/knock/!nosuch:localhost`, {}],
  ]));

test("a room that is not one's own", () => {
  const body = { user_id: alice.userId };
  const verbs = ["ban", "unban", "kick", "join"];
  const reads = [
    "messages?dir=b",
    "state",
    "members",
    "joined_members",
    "initialSync",
    "state/m.room.create",
    "aliases",
  ];
  return check(bob, [
    ...verbs.map((verb): Row => [403, "M_FORBIDDEN", "POST", `${hidden.path}/${verb}`, body]),
    ...reads.map((path): Row => [403, "M_FORBIDDEN", "GET", `${hidden.path}/${path}`]),
    [403, "M_FORBIDDEN", "GET", `${hidden.pathV1}/threads`],
    [403, "M_FORBIDDEN", "GET", `${hidden.pathV1}/hierarchy`],
    [404, "M_NOT_FOUND", "GET", `${V1}/room_summary/${encodeURIComponent(hidden.id)}`],
  ]);
});

test("keys, devices and files", () =>
  check(alice, [
    [404, "M_NOT_FOUND", "GET", `${V3}/devices/nosuch`],
    [404, "M_NOT_FOUND", "PUT", `${V3}/devices/nosuch`, { display_name: "x" }],
    [404, "M_NOT_FOUND", "GET", `${V3}/room_keys/version`],
    [404, "M_NOT_FOUND", "DELETE", `${V3}/room_keys/version/1`],
    [404, "M_NOT_FOUND", "GET", `${V3}/room_keys/keys/!room/session?version=1`],
    [404, "M_NOT_FOUND", "PUT", `${MEDIA}/nosuch`, Buffer.from("x")],
    [404, "M_NOT_FOUND", "GET", `${V1}/media/download/localhost/nosuch`],
  ]));

test("who is not signed in", () =>
  check(undefined, [
    [400, "M_UNKNOWN", "POST", `${V3}/login`, { type: "m.login.nosuch" }],
    [401, "M_UNKNOWN_TOKEN", "POST", `${V3}/refresh`, { refresh_token: "nosuch" }],
    [400, "M_USER_IN_USE", "GET", `${V3}/register/available?username=alice`],
    [400, "M_INVALID_USERNAME", "GET", `${V3}/register/available?username=a%20b`],
    [401, "M_MISSING_TOKEN", "GET", `${V3}/account/whoami`],
  ]));
