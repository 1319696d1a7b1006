import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConnectionError, MatrixError } from "matrix-js-sdk/lib/http-api/errors.js";
import { RequestError } from "./api.ts";
import { failureOf } from "./failure.ts";

const refusal = (errcode: string, status = 403) => new RequestError(status, { errcode, error: "for the log" });

describe("errors as sentences", () => {
  it("names the field that has to change", () => {
    assert.equal(failureOf(refusal("M_FORBIDDEN"), "signIn").field, "password");
    assert.equal(failureOf(refusal("M_USER_IN_USE", 400), "register").field, "userName");
    assert.equal(failureOf(refusal("M_WEAK_PASSWORD", 400), "register").field, "newPassword");
    assert.equal(failureOf(refusal("M_FORBIDDEN", 401), "confirmPassword").field, "password");
  });

  it("says different things for the same code in different places", () => {
    const texts = (["signIn", "register", "confirmPassword", "other"] as const).map(
      (doing) => failureOf(refusal("M_FORBIDDEN"), doing).text,
    );
    assert.equal(new Set(texts).size, texts.length);
  });

  it("says what the server says of what is done on its own pages, and not that a password is wrong", () => {
    for (const field of ["io.parley.second_factor", "io.parley.account_page"]) {
      const error = new RequestError(403, { errcode: "M_FORBIDDEN", error: "Do it there.", [field]: "x" });
      assert.deepEqual(failureOf(error, "signIn"), { text: "Do it there.", isForBrowser: true });
    }
  });

  it("reads the errors of the SDK like ours", () => {
    const theirs = new MatrixError({ errcode: "M_USER_IN_USE", error: "x" }, 400);
    assert.deepEqual(failureOf(theirs, "register"), failureOf(refusal("M_USER_IN_USE", 400), "register"));
  });

  it("tells when to try again after a rate limit, from the header or from the body", () => {
    const header = new RequestError(429, { errcode: "M_LIMIT_EXCEEDED" }, 30_000);
    assert.deepEqual(failureOf(header, "signIn", 1_000), {
      text: "Too many attempts. Try again in 30 seconds.",
      retryAt_ms: 31_000,
    });
    const theirs = new MatrixError(
      { errcode: "M_LIMIT_EXCEEDED" },
      429,
      undefined,
      undefined,
      new Headers({ "Retry-After": "240" }),
    );
    assert.equal(failureOf(theirs, "signIn", 0).text, "Too many attempts. Try again in 4 minutes.");
    const body = new MatrixError({ errcode: "M_LIMIT_EXCEEDED", retry_after_ms: 1_000 }, 429);
    assert.equal(failureOf(body, "signIn", 0).text, "Too many attempts. Try again in 1 second.");
  });

  it("tells a dead connection from a server in trouble", () => {
    assert.match(failureOf(new ConnectionError("fetch failed"), "other").text, /cannot be reached/);
    assert.match(failureOf(new TypeError("Failed to fetch"), "signIn").text, /cannot be reached/);
    assert.match(failureOf(new RequestError(502, {}), "signIn").text, /has a problem/);
  });

  it("shows the server's words for a refusal that it does not know", () => {
    assert.equal(failureOf(refusal("ORG_EXAMPLE", 400), "other").text, "That did not work: for the log");
  });
});
