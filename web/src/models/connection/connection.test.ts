import assert from "node:assert/strict";
import { test } from "node:test";
import { connectionOf, type Facts } from "./connection.ts";

const healthy: Facts = {
  now_ms: 100_000,
  online: true,
  failingSince_ms: null,
  refusal: null,
  maintenance: null,
  catchingUp: false,
};
const phase = (facts: Partial<Facts>) => connectionOf({ ...healthy, ...facts }).connection.phase;

test("a short failure shows nothing, three seconds show reconnecting, ten show offline", () => {
  assert.equal(phase({ failingSince_ms: 98_000 }), "connected");
  assert.equal(phase({ failingSince_ms: 97_000 }), "reconnecting");
  assert.equal(phase({ failingSince_ms: 90_000 }), "offline");
});

test("the state asks to be looked at again when it would change by time alone", () => {
  assert.equal(connectionOf({ ...healthy, failingSince_ms: 98_000 }).lookAgainAt_ms, 101_000);
  assert.equal(connectionOf({ ...healthy, failingSince_ms: 97_000 }).lookAgainAt_ms, 107_000);
  assert.equal(connectionOf(healthy).lookAgainAt_ms, null);
});

test("a browser without a network is offline at once", () => {
  assert.equal(phase({ online: false }), "offline");
});

test("a server that answers with an error is shown with its reason", () => {
  assert.equal(phase({ failingSince_ms: 99_999, refusal: { reason: "Maintenance", retryAt_ms: 1 } }), "refused");
});

test("maintenance is shown although the sync goes on, and is forgotten when nobody hears of it any more", () => {
  const maintenance = { reason: "Back at ten", retryAt_ms: 130_000 };
  assert.deepEqual(connectionOf({ ...healthy, maintenance }), {
    connection: { phase: "refused", ...maintenance },
    lookAgainAt_ms: 190_000,
  });
  assert.equal(phase({ maintenance, now_ms: 190_000 }), "connected");
  assert.equal(phase({ maintenance, online: false }), "offline");
});
