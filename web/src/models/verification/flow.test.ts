import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { causeOf, type RequestFacts, stepOf } from "./flow.ts";

const ASKED: RequestFacts = {
  phase: "requested",
  initiatedByMe: false,
  cancellationCode: null,
  offered: true,
  code: null,
  canScan: false,
  sas: null,
  scanned: false,
  told: "nothing",
  timedOut: false,
};
const SAS = { emoji: [["🐶", "Dog"]] as [string, string][], numbers: [1, 2, 3] };
const stepAt = (facts: Partial<RequestFacts>) => stepOf({ ...ASKED, ...facts }).step;

describe("the steps of a verification", () => {
  it("asks the side that was asked, and lets the other wait", () => {
    assert.equal(stepAt({}), "incoming");
    assert.equal(stepAt({ initiatedByMe: true }), "waiting");
  });

  it("does not ask twice while the acceptance is on its way", () => {
    assert.equal(stepAt({ told: "accepted" }), "connecting");
  });

  it("offers the methods when both sides are there", () => {
    const code = new Uint8ClampedArray([1]);
    assert.deepEqual(stepOf({ ...ASKED, phase: "ready", code, canScan: true }), {
      step: "choose",
      code,
      canScan: true,
    });
  });

  it("does not offer a choice before it knows what there is to choose", () => {
    assert.equal(stepAt({ phase: "ready", offered: false }), "connecting");
  });

  it("shows the emoji only when they are there, and once they were confirmed not again", () => {
    assert.equal(stepAt({ phase: "ready", told: "emoji" }), "connecting");
    assert.equal(stepAt({ phase: "started" }), "connecting");
    assert.equal(stepAt({ phase: "started", sas: SAS }), "compare");
    assert.equal(stepAt({ phase: "started", sas: SAS, told: "match" }), "confirming");
  });

  it("asks whether the other device shows a tick only after it scanned our code", () => {
    assert.equal(stepAt({ phase: "started", scanned: true }), "scanned");
    assert.equal(stepAt({ phase: "started", scanned: true, told: "match" }), "confirming");
    assert.equal(stepAt({ phase: "started", told: "scannedTheirs" }), "confirming");
  });

  it("ends, whatever was said before", () => {
    assert.equal(stepAt({ phase: "done", sas: SAS, told: "match" }), "done");
    assert.equal(stepAt({ phase: "cancelled", sas: SAS, told: "accepted" }), "cancelled");
    assert.deepEqual(stepOf({ ...ASKED, timedOut: true }), { step: "cancelled", cause: "expired" });
  });
});

describe("a request that went away", () => {
  it("says nothing to a device that had not answered it", () => {
    const gone = { phase: "cancelled", cancellationCode: "m.user" } as const;
    assert.deepEqual(stepOf({ ...ASKED, ...gone }), { step: "cancelled", cause: "unanswered" });
    assert.deepEqual(stepOf({ ...ASKED, ...gone, told: "accepted" }), { step: "cancelled", cause: "declined" });
    assert.deepEqual(stepOf({ ...ASKED, ...gone, initiatedByMe: true }), { step: "cancelled", cause: "declined" });
  });
});

describe("the cause of a cancellation", () => {
  it("tells an attack from a person who changed their mind", () => {
    assert.equal(causeOf("m.mismatched_sas"), "mismatch");
    assert.equal(causeOf("m.key_mismatch"), "mismatch");
    assert.equal(causeOf("m.user"), "declined");
  });

  it("knows when time ran out and when another device of ours answered", () => {
    assert.equal(causeOf("m.timeout"), "expired");
    assert.equal(causeOf("m.accepted"), "unanswered");
  });

  it("calls everything else a failure", () => {
    assert.equal(causeOf("m.unknown_method"), "failed");
    assert.equal(causeOf(null), "failed");
  });
});
