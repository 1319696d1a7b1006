import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  clearCredentials,
  loadCredentials,
  newCredentials,
  saveCredentials,
  storageKeyBytes,
  withTokens,
} from "./credentials.ts";
import { memoryStorage } from "./memoryStorage.testkit.ts";

const ANSWER = { user_id: "@ana:x", device_id: "D", access_token: "a1", refresh_token: "r1", expires_in_ms: 1_000 };

describe("what is kept of a session", () => {
  it("comes back as it was kept", () => {
    const storage = memoryStorage();
    const credentials = newCredentials("https://x", ANSWER, 5_000);
    saveCredentials(credentials, storage);
    assert.deepEqual(loadCredentials(storage), credentials);
    assert.equal(credentials.renewAt_ms, 5_500);
    assert.equal(storageKeyBytes(credentials).length, 32);
    clearCredentials(storage);
    assert.equal(loadCredentials(storage), null);
  });

  it("is nothing when the record is damaged or of another shape", () => {
    const storage = memoryStorage();
    for (const text of ["{", "null", "[]", '{"userId":"@ana:x"}']) {
      storage.setItem("parley.session", text);
      assert.equal(loadCredentials(storage), null, text);
    }
  });

  it("has another key for each device", () => {
    assert.notEqual(newCredentials("https://x", ANSWER).storageKey, newCredentials("https://x", ANSWER).storageKey);
  });

  it("renews a long-lived token 90 seconds before its end, and a short-lived one at half its life", () => {
    const renewAt_ms = (expires_in_ms: number) =>
      newCredentials("https://x", { ...ANSWER, expires_in_ms }, 0).renewAt_ms;
    assert.equal(renewAt_ms(300_000), 210_000);
    assert.equal(renewAt_ms(20_000), 10_000);
  });

  it("keeps the refresh token that the server did not replace, and drops an end that does not hold any more", () => {
    const next = withTokens(newCredentials("https://x", ANSWER, 0), { access_token: "a2" });
    assert.deepEqual([next.accessToken, next.refreshToken, next.renewAt_ms], ["a2", "r1", undefined]);
  });
});
