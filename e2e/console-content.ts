/** What the console shows in its tests. */
import assert from "node:assert/strict";
import { type Json, type Person, personOf } from "../testkit/src/http.ts";
import { createRoom, type TestRoom } from "../testkit/src/room.ts";
import { openDirectory } from "../testkit/src/scim.ts";
import type { ConsoleWorld } from "./console.ts";

/** A webhook: whoever has its address may post. */
export interface Hook {
  webhook_id: string;
  url: string;
}

/** Something of everything, made as people and operators make it. */
export async function fill({ server }: ConsoleWorld, ana: Person): Promise<{ room: TestRoom; hook: Hook }> {
  const room = await createRoom(ana, { name: "Release train" });
  const event = await room.say(ana, "a secret of Ana's");
  const png = Buffer.from("89504e470d0a1a0a", "hex");
  const upload = await fetch(`${server.url}/_matrix/media/v3/upload`, {
    method: "POST",
    headers: { authorization: `Bearer ${ana.token}`, "content-type": "image/png" },
    body: png,
  });
  assert.equal(upload.status, 200);
  await ana.call("POST", `${room.path}/report/${encodeURIComponent(event)}`, { reason: "Shouting" });
  await ana.call("POST", "/_matrix/client/v3/pushers/set", {
    kind: "http",
    app_id: "org.example.app",
    pushkey: "a key of Ana's",
    app_display_name: "App",
    device_display_name: "Ana's phone",
    lang: "en",
    data: { url: "https://push.example.org/_matrix/push/v1/notify" },
  });
  await server.ctx.db.push.change("update push.pushers set failures = 9, failing_since = now() - interval '2 hours'");
  const root = await tokenOf(server.url);
  const act = async (path: string, body: object): Promise<Json> => {
    const answer = await fetch(`${server.url}/_parley/admin/v1${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${root}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    assert.equal(answer.status, 200, text);
    return JSON.parse(text);
  };
  await act("/registration-tokens", { note: "for Dora" });
  const owner = personOf(server.url, { user_id: "@adam:localhost", device_id: "", access_token: root });
  const directory = await openDirectory(server, { owner, name: "Okta" });
  const emails = [{ value: "emil@corp.example", type: "work", primary: true }];
  await directory.ask("POST", "/Users", { userName: "emil@corp.example", emails });
  await directory.ask("POST", "/Users", { userName: "emil2@corp.example", emails });
  await act("/bots", { username: "deploys", owner: "ana", purpose: "Says what was released" });
  const hook = await act("/webhooks", { bot: "@deploys:localhost", room_id: room.id, name: "Releases" });
  await act("/retention/holds", { user_id: ana.userId, reason: "A dispute" });
  await act("/legal/access", {
    room_id: room.id,
    holder: "@adam:localhost",
    case_reference: "12 Cs 34/26",
    ends_ts: Date.now() + 86_400_000,
    reason: "An order of the court",
  });
  return { room, hook };
}

async function tokenOf(url: string): Promise<string> {
  const answer = await fetch(`${url}/_matrix/client/v3/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      type: "m.login.password",
      identifier: { type: "m.id.user", user: "root" },
      password: "password of root",
    }),
  });
  return ((await answer.json()) as { access_token: string }).access_token;
}
