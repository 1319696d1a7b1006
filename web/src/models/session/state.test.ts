import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MatrixClient } from "matrix-js-sdk";
import { nextState, type SessionEvent, type SessionState } from "./state.ts";

const client = {} as MatrixClient;
const starting: SessionState = { phase: "starting", step: "restoring" };
const ready: SessionState = { phase: "ready", client };
const setup: SessionState = { phase: "setup", client, need: "unlock" };
const signedOut: SessionState = { phase: "signedOut" };

const after = (state: SessionState, ...events: SessionEvent[]) => events.reduce(nextState, state).phase;

describe("the life of a session", () => {
  it("goes from the start to the screen that the device needs", () => {
    assert.equal(after(starting, { type: "noCredentials" }), "signedOut");
    assert.equal(after(starting, { type: "started", client, need: "nothing" }), "ready");
    assert.equal(after(starting, { type: "started", client, need: "create" }), "setup");
    assert.equal(after(starting, { type: "failed", error: { text: "no store" } }), "failed");
  });

  it("leaves the set-up for the rooms, and can go back to it", () => {
    assert.equal(after(setup, { type: "setupLeft" }), "ready");
    assert.deepEqual(nextState(ready, { type: "setupReopened", need: "create" }), {
      phase: "setup",
      client,
      need: "create",
    });
  });

  it("keeps the person in place when the token expired, and starts again after the password", () => {
    const expired = nextState(ready, { type: "tokenExpired", userId: "@ana:example.org" });
    assert.deepEqual(expired, { phase: "softLoggedOut", userId: "@ana:example.org" });
    assert.equal(
      after(expired, { type: "step", step: "opening-store" }, { type: "started", client, need: "nothing" }),
      "ready",
    );
  });

  it("says why it ended, and only once", () => {
    const removed = nextState(ready, { type: "signedOut", reason: "removed-elsewhere" });
    assert.deepEqual(removed, { phase: "signedOut", reason: "removed-elsewhere" });
    assert.equal(nextState(removed, { type: "signedOut", reason: "by-you" }), removed);
    const losing = nextState(ready, { type: "signedOut", reason: "removed-elsewhere", lost: 2 });
    assert.deepEqual(losing, { phase: "signedOut", reason: "removed-elsewhere", lost: 2 });
  });

  it("goes to another tab from wherever it is, and comes back through the start", () => {
    for (const state of [starting, ready, setup]) assert.equal(after(state, { type: "ownedElsewhere" }), "elsewhere");
    assert.equal(after({ phase: "elsewhere" }, { type: "step", step: "opening-store" }), "starting");
  });

  it("ignores what comes too late", () => {
    const late: SessionEvent[] = [
      { type: "started", client, need: "nothing" },
      { type: "setupLeft" },
      { type: "setupReopened", need: "unlock" },
      { type: "tokenExpired", userId: "@ana:example.org" },
      { type: "failed", error: { text: "late" } },
      { type: "noCredentials" },
    ];
    for (const event of late) assert.equal(nextState(signedOut, event), signedOut, event.type);
  });
});
