// Signing in as Element does: the OAuth 2.0 functions of matrix-js-sdk, and a person who says yes in a browser.

import assert from "node:assert/strict";
import { test } from "node:test";
import { OAuth2, OAuth2HTTPError } from "matrix-js-sdk/lib/oauth/index.js";
import type { Device } from "../src/device.ts";
import { personOf, request } from "../src/http.ts";
import { CALLBACK, codeFor, openBrowser, signIn } from "../src/oauth.ts";
import { type Someone, startTown, type Town } from "../src/people.ts";
import { realSeams } from "../../server/src/seams.ts";

/** What Element Web says of itself, at another address. */
const METADATA = {
  client_name: "Element",
  client_uri: "https://app.example.com/",
  redirect_uris: [CALLBACK] as [string],
  logo_uri: "https://app.example.com/logo.png",
  tos_uri: "https://app.example.com/terms",
  // The SDK leaves out what is not on the host of client_uri.
  policy_uri: "https://elsewhere.example.org/privacy",
  application_type: "web" as const,
};

test("matrix-js-sdk signs in with code and PKCE, talks encrypted, renews its tokens when they end, and signs out", async () => {
  let ahead_ms = 0;
  const seams = { ...realSeams, monotonic_ms: () => realSeams.monotonic_ms() + ahead_ms };
  await using town = await startTown({ seams });
  const [alice, bob] = [await town.person("alice"), await town.person("bob")];
  const { laptop, oauth, tokens } = await signInByOAuth(town, bob);
  const room = await alice.createRoom({ invite: [laptop] });
  await laptop.joins(room);
  await alice.sees(room, bob, "join");
  await alice.says(room, "hello");
  assert.equal((await laptop.hears(room, "hello")).getWireType(), "m.room.encrypted");

  const [first, lifetime_ms] = [tokens[0], 3_600_000];
  ahead_ms += lifetime_ms;
  await town.server?.ctx.db.auth.change(
    "update auth.tokens set expires_at = expires_at - $1 * interval '1 millisecond'",
    [lifetime_ms],
  );
  await laptop.says(room, "with a new token");
  await alice.hears(room, "with a new token");
  assert.equal(tokens.length, 2);
  const [, latest] = tokens;
  assert.notEqual(latest?.accessToken, first?.accessToken);
  assert.notEqual(latest?.refreshToken, first?.refreshToken);

  await laptop.client.logout(true);
  assert.deepEqual(await whoami(town, latest?.accessToken ?? ""), [401, "M_UNKNOWN_TOKEN"]);
  await assert.rejects(oauth.performRefreshTokenGrant(latest?.refreshToken ?? ""), OAuth2HTTPError);
  const { devices } = await bob.client.getDevices();
  assert.deepEqual(
    devices.map(({ device_id }) => device_id),
    [bob.deviceId],
  );
});

test("a television that matrix-js-sdk signs in by the device flow is let in from a browser", async () => {
  await using town = await startTown();
  const bob = await town.person("bob");
  const oauth = await openOAuth(bob, "TELEVISION");
  const session = await oauth.startDeviceAuthorizationGrant();
  const browser = openBrowser(town.url);
  const page = await signIn(browser, await browser.open(session.verification_uri_complete ?? ""), "bob");
  await browser.send(page, { decision: "allow" }, 'value="allow"');
  const tokens = await oauth.waitForDeviceAuthorizationGrant(session);
  assert.ok("access_token" in tokens);
  assert.deepEqual(await whoami(town, tokens.access_token), [200, "TELEVISION"]);
});

test("what matrix-js-sdk is refused is an error of OAuth 2.0, after which it gives up its session", async () => {
  await using town = await startTown();
  const bob = await town.person("bob");
  const oauth = await openOAuth(bob);
  const { code } = await codeFor(openBrowser(town.url), await addressOf(oauth), "bob");
  const { access_token } = await oauth.completeAuthorizationCodeGrant(code, CALLBACK);
  await assert.rejects(oauth.completeAuthorizationCodeGrant(code, CALLBACK), OAuth2HTTPError);
  assert.deepEqual(await whoami(town, access_token), [401, "M_UNKNOWN_TOKEN"]);
  await assert.rejects(oauth.performRefreshTokenGrant("por_made.up"), OAuth2HTTPError);
  // A token that nobody knows is as good as revoked. RFC 7009, section 2.2.
  await oauth.revokeToken("made up", "access_token");
});

/** A client that has found the server's metadata and registered itself. */
async function openOAuth(device: Device, deviceId?: string): Promise<OAuth2> {
  const metadata = await device.client.getAuthMetadata();
  const clientId = await OAuth2.registerClient(metadata, METADATA);
  return new OAuth2(metadata, { clientId, ...(deviceId === undefined ? {} : { deviceId }) });
}

const addressOf = (oauth: OAuth2) => oauth.generateAuthorizationCodeGrantUrl("a state", CALLBACK);

type Tokens = { accessToken: string; refreshToken?: string };

/** Goes a person's way through the browser, and opens the app on the session that came of it. `tokens`: each pair that it had. */
async function signInByOAuth(town: Town, bob: Someone) {
  const oauth = await openOAuth(bob);
  const { code, parameters } = await codeFor(openBrowser(town.url), await addressOf(oauth), "bob");
  assert.equal(parameters.get("state"), "a state");
  const { access_token, refresh_token = "" } = await oauth.completeAuthorizationCodeGrant(code, CALLBACK);
  const tokens: Tokens[] = [{ accessToken: access_token, refreshToken: refresh_token }];
  const { clientId: oauthClientId, deviceId: device_id } = oauth.context;
  const person = personOf(town.url, { user_id: bob.userId, device_id, access_token });
  const renewal = {
    oauthClientId,
    refreshToken: refresh_token,
    onTokenRefresh: (each: Tokens) => void tokens.push(each),
  };
  const laptop = await town.opens(person, { label: "bob (laptop)", oauth: renewal });
  return { laptop, oauth, tokens };
}

async function whoami({ url }: Town, token: string): Promise<[number, string]> {
  const { status, body } = await request(url, "GET", "/_matrix/client/v3/account/whoami", { token });
  return [status, body.errcode ?? body.device_id];
}
