import assert from "node:assert/strict";
import { test } from "node:test";
import { DecryptionFailureCode } from "matrix-js-sdk/lib/crypto-api/index.js";
import { createTally, PATIENCE_MS, unreadableBy } from "./readability.ts";

test("what could be read at once is counted, and there is nothing to say twice", () => {
  const tally = createTally();
  assert.equal(tally.take(0), undefined);
  tally.read("$a", 0);
  tally.read("$b", 1);
  assert.deepEqual(tally.take(2), { decrypted: 2 });
  assert.equal(tally.take(3), undefined);
});

test("a message whose key comes within a minute was readable, and one whose key does not was not", () => {
  const tally = createTally();
  tally.unread("$soon", "no_key", 0);
  tally.unread("$never", "no_key", 0);
  tally.unread("$kept", "withheld", 0);
  assert.equal(tally.take(PATIENCE_MS - 1), undefined);
  tally.read("$soon", PATIENCE_MS - 1);
  assert.deepEqual(tally.take(PATIENCE_MS), { decrypted: 1, no_key: 1, withheld: 1 });
});

test("trying again does not give a message another minute, nor count it again", () => {
  const tally = createTally();
  tally.unread("$a", "no_key", 0);
  tally.unread("$a", "no_key", PATIENCE_MS / 2);
  assert.deepEqual(tally.take(PATIENCE_MS), { no_key: 1 });
  tally.unread("$a", "no_key", PATIENCE_MS + 1);
  assert.equal(tally.take(3 * PATIENCE_MS), undefined);
});

test("a key that comes after all makes a message late", () => {
  const tally = createTally();
  tally.unread("$reported", "no_key", 0);
  tally.take(PATIENCE_MS);
  tally.read("$reported", 2 * PATIENCE_MS);
  tally.unread("$not yet", "other", 0);
  tally.read("$not yet", PATIENCE_MS);
  assert.deepEqual(tally.take(2 * PATIENCE_MS), { late: 2 });
});

test("what was sent before the device was there is no failure", () => {
  assert.equal(unreadableBy(DecryptionFailureCode.HISTORICAL_MESSAGE_WORKING_BACKUP), undefined);
  assert.equal(unreadableBy(DecryptionFailureCode.MEGOLM_UNKNOWN_INBOUND_SESSION_ID), "no_key");
  assert.equal(unreadableBy(DecryptionFailureCode.MEGOLM_KEY_WITHHELD), "withheld");
  assert.equal(unreadableBy(null), "other");
});
