import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RequestError } from "./api.ts";
import { type Answer, type Received, startServer, type TestServer } from "./httpServer.testkit.ts";
import { registerAccount, registrationDoor } from "./registration.ts";

const FORM = { userName: "ana", password: "correct horse", deviceName: "Parley in Firefox on Linux" };
const DONE: Answer = { status: 200, body: { user_id: "@ana:x", device_id: "D", access_token: "t" } };

const TERMS = "m.login.terms";
const POLICY = { version: "2", en: { name: "Terms", url: "https://example.org/terms" } };
const PARAMS = { [TERMS]: { policies: { terms: POLICY } } };

/** A server with these flows; each stage is done by an `auth` of its type, a token only when it is `secret`. */
function serverWith(...flows: string[][]) {
  const completed: string[] = [];
  return startServer(({ body }: Received) => {
    const auth = body["auth"] as { type?: string; token?: string } | undefined;
    const refused = auth?.type === "m.login.registration_token" && auth.token !== "secret";
    if (auth?.type && !refused) completed.push(auth.type);
    if (flows.some((stages) => stages.every((stage) => completed.includes(stage)))) return DONE;
    const error = refused ? { errcode: "M_UNAUTHORIZED", error: "bad token" } : {};
    return {
      status: 401,
      body: { session: "s", flows: flows.map((stages) => ({ stages })), completed, params: PARAMS, ...error },
    };
  });
}

function stagesOf(server: TestServer): (string | undefined)[] {
  return server.received.map(({ body }) => (body["auth"] as { type: string } | undefined)?.type);
}

describe("how a server takes new accounts", () => {
  it("is open when nothing has to be shown", async () => {
    await using server = await serverWith(["m.login.dummy"]);
    assert.deepEqual(await registrationDoor(server.baseUrl), { door: "open", policies: [] });
  });

  it("wants a link when every flow has the token stage", async () => {
    await using server = await serverWith(["m.login.registration_token", "m.login.dummy"]);
    assert.equal((await registrationDoor(server.baseUrl)).door, "token");
  });

  it("is open, and says what is to be accepted", async () => {
    await using server = await serverWith([TERMS, "m.login.dummy"], ["m.login.registration_token", TERMS]);
    const { door, policies } = await registrationDoor(server.baseUrl);
    assert.equal(door, "open");
    assert.deepEqual(policies, [{ id: "terms", version: "2", texts: { en: POLICY.en } }]);
  });

  it("is closed when the server says so", async () => {
    await using server = await startServer(() => ({ status: 403, body: { errcode: "M_FORBIDDEN" } }));
    assert.equal((await registrationDoor(server.baseUrl)).door, "closed");
  });

  it("is on the server's own page where that asks for a captcha, unless a link is there", async () => {
    await using server = await serverWith(
      ["m.login.recaptcha", TERMS, "m.login.dummy"],
      ["m.login.registration_token"],
    );
    assert.equal((await registrationDoor(server.baseUrl)).door, "page");
    await registerAccount(server.baseUrl, { ...FORM, token: "secret" });
    assert.deepEqual(stagesOf(server), [undefined, undefined, "m.login.registration_token"]);
  });

  it("is not usable from here when a stage is unknown", async () => {
    await using server = await serverWith(["m.login.msisdn"]);
    assert.equal((await registrationDoor(server.baseUrl)).door, "unsupported");
  });
});

describe("registration", () => {
  it("goes through the dummy stage of an open server", async () => {
    await using server = await serverWith(["m.login.dummy"]);
    assert.equal((await registerAccount(server.baseUrl, FORM)).user_id, "@ana:x");
    assert.equal(server.received.length, 2);
  });

  it("shows the token of a link, and then what else is asked", async () => {
    await using server = await serverWith(["m.login.registration_token", "m.login.dummy"]);
    await registerAccount(server.baseUrl, { ...FORM, token: "secret" });
    assert.deepEqual(stagesOf(server), [undefined, "m.login.registration_token", "m.login.dummy"]);
  });

  it("uses the link even where the door is open, because a link may carry rights", async () => {
    await using server = await serverWith(["m.login.dummy"], ["m.login.registration_token"]);
    await registerAccount(server.baseUrl, { ...FORM, token: "secret" });
    assert.deepEqual(stagesOf(server), [undefined, "m.login.registration_token"]);
  });

  it("accepts for the person what they have ticked", async () => {
    await using server = await serverWith([TERMS, "m.login.dummy"]);
    await registerAccount(server.baseUrl, { ...FORM, accepted: { terms: "2" } });
    assert.deepEqual(stagesOf(server), [undefined, TERMS, "m.login.dummy"]);
    assert.deepEqual(server.received[1]?.body["auth"], { type: TERMS, session: "s" });
  });

  it("accepts nothing that they have not seen", async () => {
    for (const accepted of [undefined, {}, { terms: "1" }] as (Record<string, string> | undefined)[]) {
      await using server = await serverWith([TERMS, "m.login.dummy"]);
      const form = { ...FORM, ...(accepted && { accepted }) };
      await assert.rejects(registerAccount(server.baseUrl, form), /have changed/);
      assert.deepEqual(stagesOf(server), [undefined]);
    }
  });

  it("stops at a link that is used up", async () => {
    await using server = await serverWith(["m.login.registration_token"]);
    const wrong = registerAccount(server.baseUrl, { ...FORM, token: "used" });
    await assert.rejects(wrong, (error: RequestError) => error.errcode === "M_UNAUTHORIZED");
  });

  it("gives up on a server that never has enough", async () => {
    await using server = await startServer(() => ({
      status: 401,
      body: { session: "s", flows: [{ stages: ["m.login.dummy"] }], completed: [] },
    }));
    await assert.rejects(registerAccount(server.baseUrl, FORM), /more stages/);
  });
});
