import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { deviceName, missingFeatures } from "./device.ts";

describe("what is said of this browser", () => {
  it("names browser and system, and the browsers that pretend to be others", () => {
    const names: [string, string][] = [
      ["Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"],
      ["Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/149.0 Safari/537.36 Edg/149.0", "Edge on Windows"],
      ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) AppleWebKit/605 Version/18 Safari/605.1", "Safari on macOS"],
      ["Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/149.0 Mobile Safari/537.36", "Chrome on Android"],
      ["something else", "a browser on an unknown system"],
    ];
    for (const [agent, name] of names) assert.equal(deviceName(agent), `Parley in ${name}`);
  });

  it("lists the parts that are missing, and none where all are there", () => {
    const whole = { crypto: { subtle: {} }, indexedDB: {}, WebAssembly: {}, navigator: { locks: {} } };
    assert.deepEqual(missingFeatures(whole), []);
    assert.equal(missingFeatures({ ...whole, crypto: {} }).length, 1);
    assert.equal(missingFeatures({}).length, 4);
  });
});
