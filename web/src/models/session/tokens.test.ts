import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Credentials } from "./credentials.ts";
import { type Answer, type Received, startServer, type TestServer } from "./httpServer.testkit.ts";
import { renewingFetch } from "./tokens.ts";

const UNKNOWN_TOKEN = { status: 401, body: { errcode: "M_UNKNOWN_TOKEN", error: "expired", soft_logout: true } };
const OK = { status: 200, body: {} };

function holderAt(baseUrl: string, over: Partial<Credentials> = {}) {
  let present: Credentials = {
    baseUrl,
    userId: "@ana:example.org",
    deviceId: "A",
    accessToken: "old",
    refreshToken: "refresh-1",
    storageKey: "",
    setupPending: false,
    ...over,
  };
  return { read: () => present, write: (next: Credentials) => void (present = next) };
}

/** A server that knows one access token at a time and replaces it at each refresh. */
function tokenServer(valid: string, onRefresh: (request: Received) => Answer): Promise<TestServer> {
  let known = valid;
  return startServer((request) => {
    if (request.url.endsWith("/refresh")) {
      const answer = onRefresh(request);
      if (answer.status === 200) known = (answer.body as { access_token: string }).access_token;
      return answer;
    }
    return request.token === known ? OK : UNKNOWN_TOKEN;
  });
}

const refreshed: Answer = {
  status: 200,
  body: { access_token: "new", refresh_token: "refresh-2", expires_in_ms: 300_000 },
};
const authorised = { headers: { Authorization: "Bearer old" } };

describe("access tokens that renew themselves", () => {
  it("repeats a refused request with a new token and keeps that token", async () => {
    await using server = await tokenServer("new", () => refreshed);
    const holder = holderAt(server.baseUrl);
    const response = await renewingFetch(holder)(`${server.baseUrl}/sync`, authorised);
    assert.equal(response.status, 200);
    assert.equal(holder.read().accessToken, "new");
    assert.equal(holder.read().refreshToken, "refresh-2");
  });

  it("uses a refresh token once, however many requests were refused", async () => {
    await using server = await tokenServer("new", () => refreshed);
    const fetch = renewingFetch(holderAt(server.baseUrl));
    const answers = await Promise.all(["/a", "/b", "/c"].map((path) => fetch(server.baseUrl + path, authorised)));
    assert.deepEqual(
      answers.map((answer) => answer.status),
      [200, 200, 200],
    );
    assert.equal(server.received.filter(({ url }) => url.endsWith("/refresh")).length, 1);
  });

  it("renews a token when its time has come, before the request", async () => {
    await using server = await tokenServer("old", () => refreshed);
    const holder = holderAt(server.baseUrl, { renewAt_ms: 60_000 });
    await renewingFetch(holder, { now: () => 60_000 })(`${server.baseUrl}/sync`, authorised);
    assert.deepEqual(
      server.received.map(({ url }) => url),
      ["/_matrix/client/v3/refresh", "/sync"],
    );
    assert.equal(server.received[1]?.token, "new");
  });

  it("does not use a refresh token that another tab has used, however long this one slept on the way", async () => {
    const HALF_A_MINUTE_MS = 30_000;
    let now_ms = 0;
    let usedAt_ms: number | undefined;
    // As Parley's own: a token that comes again so long after its successor was made has got out, and ends the session.
    await using server = await tokenServer("old", () => {
      if (usedAt_ms !== undefined && now_ms - usedAt_ms > HALF_A_MINUTE_MS) return { status: 401, body: {} };
      usedAt_ms ??= now_ms;
      now_ms += HALF_A_MINUTE_MS + 1;
      return refreshed;
    });
    const storage = holderAt(server.baseUrl, { renewAt_ms: 0 });
    const tabs = [1, 2, 3].map(() => renewingFetch(storage, { now: () => now_ms }));
    const answers = await Promise.all(tabs.map((fetch) => fetch(`${server.baseUrl}/sync`, authorised)));
    assert.deepEqual(
      answers.map((answer) => answer.status),
      [200, 200, 200],
    );
    assert.equal(server.received.filter(({ url }) => url.endsWith("/refresh")).length, 1);
  });

  it("goes on with the tokens of a tab that was faster, where the server refuses its own", async () => {
    const storage = holderAt("");
    await using server = await tokenServer("newer", () => {
      storage.write({ ...storage.read(), accessToken: "newer", refreshToken: "refresh-3" });
      return UNKNOWN_TOKEN;
    });
    storage.write({ ...storage.read(), baseUrl: server.baseUrl });
    const response = await renewingFetch(storage)(`${server.baseUrl}/sync`, authorised);
    assert.equal(response.status, 200);
  });

  it("lets the refusal through when the refresh token is refused too", async () => {
    await using server = await tokenServer("other", () => UNKNOWN_TOKEN);
    const response = await renewingFetch(holderAt(server.baseUrl))(`${server.baseUrl}/sync`, authorised);
    assert.equal(response.status, 401);
    assert.deepEqual(await response.json(), UNKNOWN_TOKEN.body);
  });

  it("keeps the session when the refresh fails for another reason", async () => {
    await using server = await tokenServer("other", () => ({ status: 503, body: {} }));
    await assert.rejects(renewingFetch(holderAt(server.baseUrl))(`${server.baseUrl}/sync`, authorised));
  });

  it("does not try to renew a token that was revoked", async () => {
    const revoked = { status: 401, body: { errcode: "M_UNKNOWN_TOKEN", error: "gone" } };
    await using server = await startServer(() => revoked);
    await renewingFetch(holderAt(server.baseUrl))(`${server.baseUrl}/sync`, authorised);
    assert.equal(server.received.length, 1);
  });

  it("does not believe what is said of a token that was replaced while it was on its way", async () => {
    const holder = holderAt("");
    await using server = await startServer(({ token }) => {
      if (token === "newest") return OK;
      // Two renewals later the server does not know it any more.
      holder.write({ ...holder.read(), accessToken: "newest", refreshToken: "refresh-3" });
      return { status: 401, body: { errcode: "M_UNKNOWN_TOKEN", error: "gone" } };
    });
    const response = await renewingFetch(holder)(`${server.baseUrl}/sync`, authorised);
    assert.equal(response.status, 200);
    assert.deepEqual(
      server.received.map(({ token }) => token),
      ["old", "newest"],
    );
  });

  it("adds no token to a request that carries none", async () => {
    await using server = await startServer(() => OK);
    await renewingFetch(holderAt(server.baseUrl))(`${server.baseUrl}/versions`);
    assert.equal(server.received[0]?.token, undefined);
  });
});
