import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type EncryptionFacts, needOf } from "./need.ts";

const WHOLE: EncryptionFacts = {
  accountHasKeys: true,
  deviceVerified: true,
  hasRecoveryKey: true,
  backupExists: true,
  backupReadable: true,
};
const needWith = (facts: Partial<EncryptionFacts>) => needOf({ ...WHOLE, ...facts });

describe("what a device still needs", () => {
  it("is nothing when it is signed and can read the backup, or there is none", () => {
    assert.equal(needWith({}), "nothing");
    assert.equal(needWith({ backupExists: false, backupReadable: false }), "nothing");
  });

  it("is to create recovery when the account has no keys, or nothing to get them back from", () => {
    assert.equal(needWith({ accountHasKeys: false, deviceVerified: false }), "create");
    assert.equal(needWith({ hasRecoveryKey: false }), "create");
  });

  it("is to unlock when the account has keys that this device does not have", () => {
    assert.equal(needWith({ deviceVerified: false }), "unlock");
    assert.equal(needWith({ deviceVerified: false, hasRecoveryKey: false }), "unlock");
    assert.equal(needWith({ backupReadable: false }), "unlock");
  });
});
