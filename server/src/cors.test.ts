/** Which pages may read the answers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfig } from "./config.ts";
import { corsFor } from "./cors.ts";

const versions = "/_matrix/client/versions";

test("every page may read Matrix's answers, and none the console's", () => {
  const cors = corsFor(readConfig({}).corsOrigins);
  assert.equal(cors(versions, "https://anyone.example")["access-control-allow-origin"], "*");
  assert.deepEqual(cors("/_parley/admin/v1/users", "https://anyone.example"), {});
});

test("with CORS_ORIGINS the pages of these origins may, and no others", () => {
  const { corsOrigins } = readConfig({ CORS_ORIGINS: "https://Chat.example.org/, http://localhost:5173" });
  const cors = corsFor(corsOrigins);
  for (const origin of ["https://chat.example.org", "http://localhost:5173"])
    assert.equal(cors(versions, origin)["access-control-allow-origin"], origin);
  for (const origin of ["https://chat.example.org.evil.example", "http://chat.example.org", "null", undefined]) {
    const headers = cors(versions, origin);
    assert.deepEqual([headers["access-control-allow-origin"], headers["vary"]], [undefined, "Origin"], origin);
  }
  assert.deepEqual(cors("/admin", "https://chat.example.org"), {});
});
