import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { memoryStorage } from "./memoryStorage.testkit.ts";
import { addressToLeaveFor, takeLoginToken } from "./throughBrowser.ts";

const ORIGIN = "https://parley.example.org";

/** A tab that has left, and where it is sent back to. */
function leave() {
  const storage = memoryStorage();
  const left = new URL(addressToLeaveFor(ORIGIN, { location: { origin: ORIGIN, href: `${ORIGIN}/` }, storage }));
  const back = new URL(left.searchParams.get("redirectUrl") ?? "");
  const comeBack = (href: string) => takeLoginToken({ location: { origin: ORIGIN, href }, storage });
  return { left, back, comeBack };
}

describe("signing in on the server's own pages", () => {
  it("leaves for the single sign-on of the server, and comes back with a token that is taken once", () => {
    const { left, back, comeBack } = leave();
    assert.equal(left.origin + left.pathname, `${ORIGIN}/_matrix/client/v3/login/sso/redirect`);
    assert.equal(back.origin + back.pathname, `${ORIGIN}/login`);
    back.searchParams.set("loginToken", "secret");
    assert.equal(comeBack(back.href), "secret");
    assert.equal(comeBack(back.href), undefined);
  });

  it("leaves for a provider by its id", () => {
    const tab = { location: { origin: ORIGIN, href: `${ORIGIN}/` }, storage: memoryStorage() };
    const left = new URL(addressToLeaveFor(ORIGIN, tab, { provider: "key~cloak" }));
    assert.equal(left.pathname, "/_matrix/client/v3/login/sso/redirect/key~cloak");
  });

  it("leaves for the page on which an account is made", () => {
    const tab = { location: { origin: ORIGIN, href: `${ORIGIN}/` }, storage: memoryStorage() };
    const { searchParams } = new URL(addressToLeaveFor(ORIGIN, tab, { isNew: true }));
    assert.equal(searchParams.get("action"), "register");
    assert.equal(new URL(addressToLeaveFor(ORIGIN, tab)).searchParams.get("action"), null);
  });

  it("takes no token that somebody else sends it", () => {
    const { comeBack } = leave();
    assert.equal(comeBack(`${ORIGIN}/login?loginToken=theirs`), undefined);
    const other = leave();
    assert.equal(other.comeBack(`${ORIGIN}/login?state=theirs&loginToken=theirs`), undefined);
    const tab = { location: { origin: ORIGIN, href: `${ORIGIN}/login?state=null&loginToken=theirs` } };
    assert.equal(takeLoginToken({ ...tab, storage: memoryStorage() }), undefined);
  });
});
