import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { memoryStorage } from "../session/memoryStorage.testkit.ts";
import { rememberHandled, wasHandled } from "./handled.ts";

describe("requests that were answered", () => {
  it("are known after a reload, and no others", () => {
    const storage = memoryStorage();
    rememberHandled("a", storage);
    assert.equal(wasHandled("a", storage), true);
    assert.equal(wasHandled("b", storage), false);
  });

  it("are kept to the last thirty", () => {
    const storage = memoryStorage();
    for (let count = 0; count < 40; count++) rememberHandled(`id ${count}`, storage);
    assert.equal(wasHandled("id 9", storage), false);
    assert.equal(wasHandled("id 10", storage), true);
  });

  it("are none when the record is damaged", () => {
    const storage = memoryStorage();
    storage.setItem("parley.verifications", "{");
    assert.equal(wasHandled("a", storage), false);
  });
});
