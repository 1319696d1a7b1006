import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { MatrixError } from "../errors.ts";
import { realSeams } from "../seams.ts";
import { masterKeysOf, parseMasterKeys } from "../secrets/master-keys.ts";
import { anyConnection } from "./credentials/conformance.ts";
import type { SavedConnection } from "./credentials/store.ts";
import { openPassword, rewrapKey, sealPassword } from "./envelope.ts";

const PASSWORD = "hünter2 😀";
const newKey = () => randomBytes(32).toString("base64");
const ring = (...keys: string[]) => {
  const parsed = parseMasterKeys(keys.join("\n"));
  return masterKeysOf(() => parsed, realSeams);
};
const [first, second] = [newKey(), newKey()];

function saved(over: Partial<SavedConnection> = {}, masterKeys = ring(first)): SavedConnection {
  const connection = anyConnection(over);
  return { ...connection, ...sealPassword(connection, PASSWORD, { masterKeys, seams: realSeams }) };
}

function refusal(connection: SavedConnection, masterKeys = ring(first)): string {
  try {
    openPassword(connection, masterKeys);
  } catch (thrown) {
    assert(thrown instanceof MatrixError, String(thrown));
    assert.equal(thrown.cause, undefined);
    assert(!thrown.message.includes("hünter2"));
    return thrown.message;
  }
  return assert.fail("it was opened");
}

test("a password opens with its row, and no two rows have one key or one text", () => {
  const [one, two] = [saved(), saved()];
  assert.equal(openPassword(one, ring(first)), PASSWORD);
  assert.notDeepEqual(one.sealed, two.sealed);
  assert.notDeepEqual(one.wrappedKey, two.wrappedKey);
  assert(!one.sealed.includes(Buffer.from("nter2")));
});

test("a row that was changed in any field opens no more", () => {
  const connection = saved({ ca: "a certificate" });
  const changes: readonly Partial<SavedConnection>[] = [
    { owner: "@eve:example.org" },
    { id: "another" },
    { host: "evil.example.org" },
    { port: 5433 },
    { database: "other" },
    { user: "postgres" },
    { tls: "disable" },
    { ca: null },
  ];
  for (const change of changes)
    assert.match(refusal({ ...connection, ...change }), /Save the password again/, JSON.stringify(change));
  assert.equal(openPassword({ ...connection, name: "its name is not a part of it" }, ring(first)), PASSWORD);
});

test("parts of another row open nothing", () => {
  const [mine, others] = [saved(), saved()];
  assert.match(refusal({ ...mine, sealed: others.sealed }), /Save the password again/);
  assert.match(refusal({ ...mine, wrappedKey: others.wrappedKey }), /Save the password again/);
  assert.match(refusal({ ...mine, sealed: others.sealed, wrappedKey: others.wrappedKey }), /Save the password again/);
});

test("every bit counts, and what was cut short is refused", () => {
  const connection = saved();
  for (let i = 0; i < connection.sealed.length; i++) {
    const sealed = Buffer.from(connection.sealed);
    sealed[i] = (sealed[i] as number) ^ 1;
    refusal({ ...connection, sealed });
    refusal({ ...connection, sealed: connection.sealed.subarray(0, i) });
  }
  for (let i = 0; i < connection.wrappedKey.length; i++) {
    const wrappedKey = Buffer.from(connection.wrappedKey);
    wrappedKey[i] = (wrappedKey[i] as number) ^ 1;
    refusal({ ...connection, wrappedKey });
    refusal({ ...connection, wrappedKey: connection.wrappedKey.subarray(0, i) });
  }
});

test("a master key that is lost is named, with what to do", () => {
  const connection = saved();
  const sentence = refusal(connection, ring(second));
  assert(sentence.includes(connection.masterKey));
  assert.match(sentence, /Put that key back as the last line of MASTER_ENCRYPTION_KEY, or save the password again/);
  assert(!sentence.includes(first) && !sentence.includes(second));
});

test("a rotation wraps the key anew, and the row opens with either ring until the old key goes", () => {
  const connection = saved();
  const both = ring(second, first);
  const rotated = { ...connection, wrappedKey: rewrapKey(connection, both) };
  assert.equal(openPassword(connection, both), PASSWORD);
  assert.equal(openPassword(rotated, both), PASSWORD);
  assert.equal(openPassword(rotated, ring(second)), PASSWORD);
  refusal(rotated, ring(first));
  refusal(connection, ring(second));
});
