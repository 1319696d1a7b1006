import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import type { AuthDict } from "matrix-js-sdk";
import { MatrixError } from "matrix-js-sdk/lib/http-api/errors.js";
import { CancelledError, forgetPassword, rememberPassword, usePasswordQuestion, withPassword } from "./uia.ts";

const ANA = {
  client: {
    getSafeUserId: () => "@ana:x",
    getFallbackAuthUrl: (stage: string, session: string) => `https://x/auth/${stage}/fallback/web?session=${session}`,
  },
  purpose: "sign out this session",
};
const uia = (extra: object = {}) =>
  new MatrixError({ session: "s", flows: [{ stages: ["m.login.password"] }], ...extra }, 401);
const passwordOf = (auth: AuthDict | null) => (auth as { password?: string } | null)?.password;

/** A request that wants the password `right`. */
async function guarded(auth: AuthDict | null): Promise<string> {
  if (passwordOf(auth) === "right") return "done";
  throw uia(auth ? { errcode: "M_FORBIDDEN", error: "Invalid password" } : {});
}

/** Answers each question that appears with the next of these. */
function answerWith(...answers: (string | null)[]) {
  return usePasswordQuestion.subscribe(({ question }) => {
    if (question && !question.checking) queueMicrotask(() => question.answer(answers.shift() ?? null));
  });
}

describe("requests that need the password", () => {
  beforeEach(forgetPassword);

  it("ask for nothing when the server does not", async () => {
    assert.equal(await withPassword(ANA, async (auth) => (auth ? "asked" : "free")), "free");
  });

  it("use the password that was just typed, once", async () => {
    rememberPassword("right");
    assert.equal(await withPassword(ANA, guarded), "done");
    const stop = answerWith(null);
    await assert.rejects(withPassword(ANA, guarded), CancelledError);
    stop();
  });

  it("ask again with the reason until the password is right", async () => {
    const refusals: (string | undefined)[] = [];
    const watch = usePasswordQuestion.subscribe(({ question }) => {
      if (question && !question.checking) refusals.push(question.refusal);
    });
    const stop = answerWith("wrong", "right");
    assert.equal(await withPassword(ANA, guarded), "done");
    assert.deepEqual(refusals, [undefined, "That is not your password."]);
    assert.equal(usePasswordQuestion.getState().question, null);
    stop();
    watch();
  });

  it("send a person with a second factor to the page where it is allowed, until it is", async () => {
    const url = "https://parley.example.org/oauth2/account";
    const flows = [{ stages: ["m.oauth"] }, { stages: ["org.matrix.cross_signing_reset"] }];
    const asked: (string | undefined)[][] = [];
    const watch = usePasswordQuestion.subscribe(({ question }) => {
      if (question && !question.checking) asked.push([question.page?.url, question.refusal]);
    });
    const stop = answerWith("", "");
    const sent: (AuthDict | null)[] = [];
    const answer = await withPassword(ANA, async (auth) => {
      sent.push(auth);
      if (sent.length === 3) return "done";
      throw uia({ flows, params: { "m.oauth": { url } } });
    });
    assert.equal(answer, "done");
    assert.deepEqual(sent, [null, { session: "s" }, { session: "s" }]);
    assert.deepEqual(asked, [
      [url, undefined],
      [url, "It is not allowed yet. Open the page, and allow it there first."],
    ]);
    stop();
    watch();
  });

  it("send a person whom a provider lets in to it, and go on in the same session", async () => {
    const pages: object[] = [];
    const watch = usePasswordQuestion.subscribe(({ question }) => {
      if (question?.page && !question.checking) pages.push(question.page);
    });
    const stop = answerWith("");
    const answer = await withPassword(ANA, async (auth) => {
      if ((auth as { session?: string } | null)?.session === "s") return "done";
      throw uia({ flows: [{ stages: ["m.login.sso"] }] });
    });
    assert.equal(answer, "done");
    assert.deepEqual(pages, [{ url: "https://x/auth/m.login.sso/fallback/web?session=s", kind: "provider" }]);
    stop();
    watch();
  });

  it("end quietly when the dialog is closed", async () => {
    const stop = answerWith(null);
    await assert.rejects(withPassword(ANA, guarded), CancelledError);
    assert.equal(usePasswordQuestion.getState().question, null);
    stop();
  });

  it("fail with their own error when it is not about passwords", async () => {
    const refuse = () => Promise.reject(new MatrixError({ errcode: "M_NOT_FOUND" }, 404));
    await assert.rejects(withPassword(ANA, refuse), (error: MatrixError) => error.errcode === "M_NOT_FOUND");
  });
});
