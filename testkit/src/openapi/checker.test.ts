import assert, { AssertionError } from "node:assert/strict";
import test from "node:test";
import { openChecker, type Checker, type SeenResponse } from "./checker.ts";
import { specDir, specOrSkip } from "./spec-dir.ts";

const dir = specDir();
const shared: Checker | undefined = dir === undefined ? undefined : openChecker(dir);
const v3 = "/_matrix/client/v3";
const alice = "@alice:example.org";

const message = {
  type: "m.room.message",
  event_id: "$Nhl3rsgHMjk-DjMJANawr9HHAhLg4GcoTYrSiYYGqEE",
  sender: alice,
  origin_server_ts: 1_700_000_000_000,
  content: { msgtype: "m.text", body: "hello" },
};
const sync = (fields: object) => ({ next_batch: "s1", device_unused_fallback_key_types: [], ...fields });
const joined = (room: object) => sync({ rooms: { join: { "!room:example.org": room } } });
const timeline = (event: object) => joined({ timeline: { events: [event], limited: false, prev_batch: "p1" } });
const deviceKeys = { user_id: alice, device_id: "D", algorithms: ["a"], keys: { "ed25519:D": "k" }, signatures: {} };
const queried = (keys: object) => ({ failures: {}, device_keys: { [alice]: { D: keys } } });
const error = (errcode: string) => ({ errcode, error: "No." });
const challenge = { flows: [{ stages: ["m.login.password"] }], params: {}, session: "s" };

type Row = { rule: string; request: string; status?: number; body: unknown; complaint?: RegExp };

const rows: Row[] = [
  { rule: "an empty sync", request: `GET ${v3}/sync?since=s0`, body: sync({}) },
  { rule: "a sync needs next_batch", request: `GET ${v3}/sync`, body: {}, complaint: /^sync .*'next_batch'/ },
  {
    rule: "a sync needs the unused fallback keys, as the text says",
    request: `GET ${v3}/sync`,
    body: { next_batch: "s1" },
    complaint: /'device_unused_fallback_key_types'/,
  },
  { rule: "a sync with a message", request: `GET ${v3}/sync`, body: timeline(message) },
  {
    rule: "an event in a sync has an event id",
    request: `GET ${v3}/sync`,
    body: timeline({ ...message, event_id: undefined }),
    complaint: /\/rooms\/join\/!room:example\.org\/timeline\/events\/0 must have required property 'event_id'/,
  },
  {
    rule: "an event in a sync has a whole number as its time",
    request: `GET ${v3}/sync`,
    body: timeline({ ...message, origin_server_ts: "soon" }),
    complaint: /origin_server_ts must be integer; it is "soon"/,
  },
  {
    rule: "the event that redacted an event is an event",
    request: `GET ${v3}/sync`,
    body: timeline({ ...message, content: {}, unsigned: { redacted_because: { type: "m.room.redaction" } } }),
    complaint: /redacted_because must have required property/,
  },
  {
    rule: "rooms in a sync stand under room ids",
    request: `GET ${v3}/sync`,
    body: sync({ rooms: { join: { room: {} } } }),
    complaint: /\/rooms\/join must match format "mx-room-id" \("room"\)/,
  },
  {
    rule: "a to-device message has a sender",
    request: `GET ${v3}/sync`,
    body: sync({ to_device: { events: [{ type: "m.dummy", content: {} }] } }),
    complaint: /\/to_device\/events\/0 must have required property 'sender'/,
  },
  {
    rule: "device lists hold user ids",
    request: `GET ${v3}/sync`,
    body: sync({ device_lists: { changed: ["alice"] } }),
    complaint: /\/device_lists\/changed\/0/,
  },
  { rule: "a login", request: `POST ${v3}/login`, body: { user_id: alice, access_token: "t", device_id: "D" } },
  {
    rule: "a login names its device",
    request: `POST ${v3}/login`,
    body: { user_id: alice, access_token: "t" },
    complaint: /^login .*'device_id'/,
  },
  {
    rule: "messages",
    request: `GET ${v3}/rooms/!r:example.org/messages?dir=b`,
    body: { start: "a", end: "b", chunk: [{ ...message, room_id: "!r:example.org" }] },
  },
  {
    rule: "an event outside a sync names its room",
    request: `GET ${v3}/rooms/!r:example.org/messages?dir=b`,
    body: { start: "a", chunk: [message] },
    complaint: /^getRoomEvents .*\/chunk\/0 must have required property 'room_id'/,
  },
  { rule: "device keys", request: `POST ${v3}/keys/query`, body: queried(deviceKeys) },
  {
    rule: "device keys are signed",
    request: `POST ${v3}/keys/query`,
    body: queried({ ...deviceKeys, signatures: undefined }),
    complaint: /^queryKeys .*'signatures'/,
  },
  {
    rule: "one-time keys are strings or signed objects",
    request: `POST ${v3}/keys/claim`,
    body: { one_time_keys: { [alice]: { D: { "signed_curve25519:A": { key: "k" } } } } },
    complaint: /^claimKeys .*signatures/,
  },
  { rule: "a standard error", request: `GET ${v3}/account/whoami`, status: 401, body: error("M_UNKNOWN_TOKEN") },
  {
    rule: "an error of a status that the operation does not declare is a standard error",
    request: `GET ${v3}/sync`,
    status: 500,
    body: { message: "stack" },
    complaint: /'errcode'/,
  },
  {
    rule: "an error has a sentence",
    request: `GET ${v3}/sync`,
    status: 400,
    body: { errcode: "M_UNKNOWN" },
    complaint: /required property 'error'/,
  },
  {
    rule: "a code with the prefix M_ is one of the specification's",
    request: `GET ${v3}/sync`,
    status: 400,
    body: error("M_OOPS"),
    complaint: /\/errcode must be a code of the specification.*"M_OOPS"/,
  },
  { rule: "a code of another namespace", request: `GET ${v3}/sync`, status: 400, body: error("IO.PARLEY_FULL") },
  { rule: "an unknown endpoint", request: `GET ${v3}/nothing/here`, status: 404, body: error("M_UNRECOGNIZED") },
  {
    rule: "an endpoint that the specification does not know gives no success",
    request: `GET ${v3}/nothing/here`,
    body: {},
    complaint: /no operation of the specification.*declares no answer with status 200/,
  },
  {
    rule: "a success has a status that the operation declares",
    request: `POST ${v3}/createRoom`,
    status: 201,
    body: { room_id: "!r:example.org" },
    complaint: /^createRoom .*declares no answer with status 201/,
  },
  {
    rule: "a JSON answer has a body",
    request: `POST ${v3}/createRoom`,
    body: undefined,
    complaint: /^createRoom .*there is no JSON body/,
  },
  {
    rule: "room ids of version 12 have no domain",
    request: `POST ${v3}/createRoom`,
    body: { room_id: "!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM" },
  },
  {
    rule: "a room id is one",
    request: `POST ${v3}/createRoom`,
    body: { room_id: "!room" },
    complaint: /\/room_id must match format "mx-room-id"/,
  },
  { rule: "a challenge", request: `POST ${v3}/register`, status: 401, body: challenge },
  {
    rule: "a challenge names its flows as objects",
    request: `POST ${v3}/register`,
    status: 401,
    body: { ...challenge, flows: ["m.login.password"] },
    complaint: /^register .*\/flows\/0 must be object/,
  },
  {
    rule: "a missing token is no challenge, where one is declared",
    request: `DELETE ${v3}/devices/D`,
    status: 401,
    body: error("M_MISSING_TOKEN"),
  },
  {
    rule: "an operation without a challenge gives none",
    request: `GET ${v3}/sync`,
    status: 401,
    body: challenge,
    complaint: /'errcode'/,
  },
  { rule: "state with an empty key", request: `GET ${v3}/rooms/!r:a/state/m.room.name`, body: { name: "n" } },
  { rule: "state with an empty key and a slash", request: `GET ${v3}/rooms/!r:a/state/m.room.name/`, body: {} },
  {
    rule: "the literal path goes before the one with a parameter",
    request: `GET https://example.org${v3}/pushrules/global/?x=1`,
    body: { override: [{ rule_id: "x" }] },
    complaint: /^getPushRulesGlobal .*\/override\/0 must have required property 'actions'/,
  },
  {
    rule: "the discovery file",
    request: "GET /.well-known/matrix/client",
    body: { "m.homeserver": { base_url: "https://a.b" } },
  },
  {
    rule: "the discovery file has its server",
    request: "GET /.well-known/matrix/client",
    body: {},
    complaint: /^getWellknown /,
  },
  { rule: "Parley's own paths are free", request: "GET /_parley/anything", body: "free" },
  {
    rule: "Parley's own errors are standard errors",
    request: "GET /_parley/anything",
    status: 404,
    body: {},
    complaint: /'errcode'/,
  },
  { rule: "probes are free", request: "GET /health/ready", status: 503, body: "not yet" },
];

for (const { rule, request, status = 200, body, complaint } of rows) {
  test(`${complaint === undefined ? "passes" : "refuses"}: ${rule}`, (t) => {
    if (specOrSkip(t) === undefined || shared === undefined) return;
    const [method = "", path = ""] = request.split(" ");
    const response: SeenResponse = { method, path, status, body: wire(body) };
    if (complaint === undefined) shared.checkResponse(response);
    else {
      assert.throws(
        () => shared.checkResponse(response),
        (thrown) => {
          assert.ok(thrown instanceof AssertionError, String(thrown));
          assert.match(thrown.message, complaint);
          return true;
        },
      );
    }
  });
}

test("a download's body is not expected to be JSON, an error there is", (t) => {
  if (specOrSkip(t) === undefined || shared === undefined) return;
  const request = { method: "GET", path: "/_matrix/client/v1/media/download/example.org/abc" };
  assert.equal(shared.expectsJson({ ...request, status: 200 }), false);
  assert.equal(shared.expectsJson({ ...request, status: 404 }), true);
  shared.checkResponse({ ...request, status: 200 });
  assert.throws(() => shared.checkResponse({ ...request, status: 404 }), /there is no JSON body/);
});

function wire(body: unknown): unknown {
  return body === undefined ? undefined : (JSON.parse(JSON.stringify(body)) as unknown);
}
