/** The most common tasks of an operator, each done with nothing but the keyboard. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Locator, Page } from "playwright-core";
import { type Json, type Person, signInPerson } from "../testkit/src/http.ts";
import { createRoom } from "../testkit/src/room.ts";
import { type ConsoleWorld, people, startConsole, tabTo, title } from "./console.ts";
import { skip } from "./fixture.ts";

describe("the console with the keyboard alone", { skip }, () => {
  let world: ConsoleWorld;
  let page: Page;
  let ana: Person;
  let root: Person | undefined;

  before(async () => {
    world = await startConsole();
    [ana] = (await people(world.server, ["ana", "ben", "cleo"])) as [Person];
    page = await world.open();
    await page.goto("/admin/");
    await page.getByLabel("User name").waitFor();
    // The sign-in page begins where one types.
    await page.keyboard.type("root");
    await page.keyboard.press("Tab");
    await page.keyboard.type("password of root");
    await page.keyboard.press("Enter");
    await title(page, "Overview").waitFor();
  });

  after(() => world?.[Symbol.asyncDispose]());

  const key = (name: string) => page.keyboard.press(name);
  const grid = (name: string) => page.getByRole("grid", { name });

  /** From wherever the focus is, by the navigation. */
  async function go(screen: string): Promise<void> {
    await page.keyboard.press("Escape");
    await tabTo(page, page.getByRole("navigation", { name: "Screens" }).getByRole("link", { name: screen }));
    await key("Enter");
    await title(page, new RegExp(screen.split(",")[0] ?? screen)).waitFor();
  }

  /** The menu of acts on the thing that is shown. */
  async function act(entry: string): Promise<void> {
    await tabTo(page, page.getByRole("button", { name: "Act", exact: true }));
    await key("Enter");
    const item = page.getByRole("menuitem", { name: entry });
    await item.waitFor();
    while (!(await item.evaluate((element) => element === document.activeElement))) await key("ArrowDown");
    await key("Enter");
  }

  /** Types the reason into the dialog, whose field has the focus, and sends it off. */
  async function because(reason: string): Promise<void> {
    const dialog: Locator = page.getByRole("alertdialog");
    await dialog.waitFor();
    await tabTo(page, dialog.getByLabel("Reason"));
    await page.keyboard.type(reason);
    await key("Enter");
    await dialog.waitFor({ state: "detached" });
  }

  it("finds a user and suspends them", async () => {
    await go("Users");
    await grid("Users").waitFor();
    await key("/");
    await page.keyboard.type("ben");
    await key("Enter");
    await page.getByText("@ana:localhost").waitFor({ state: "detached" });
    await tabTo(page, grid("Users"));
    await key("Enter");
    await title(page, "ben").waitFor();
    await act("Suspend");
    await because("Left the company");
    await page.getByText("Suspended @ben:localhost.").waitFor();
    const { status } = await api("/users/@ben:localhost");
    assert.equal(status, "suspended");
  });

  it("signs a lost device out", async () => {
    await go("Devices");
    await grid("Devices").waitFor();
    await key("/");
    await page.keyboard.type("ana");
    await key("Enter");
    await page.getByText("@cleo:localhost").waitFor({ state: "detached" });
    await tabTo(page, grid("Devices"));
    await key("x");
    await tabTo(
      page,
      page.getByRole("toolbar", { name: "With the selected rows" }).getByRole("button", { name: "Sign out" }),
    );
    await key("Enter");
    await because("A lost laptop");
    await page.getByText(/^Signed .* out\.$/).waitFor();
    assert.equal((await ana.ask("GET", "/_matrix/client/v3/account/whoami")).status, 401);
  });

  it("reads what was done in the audit log, with before and after", async () => {
    await go("Audit log");
    await tabTo(page, grid("Audit log"));
    // The newest is the device; the one before it is the suspension.
    await key("j");
    await key("Enter");
    const sheet = page.getByRole("dialog", { name: /^Entry/ });
    await sheet.getByText("users.suspend").waitFor();
    await sheet.getByText("Left the company").waitFor();
    await sheet.getByRole("row", { name: "status active suspended" }).waitFor();
    await key("Escape");
    await sheet.waitFor({ state: "detached" });
    await tabTo(page, page.getByRole("button", { name: "Verify" }), "Shift+Tab");
    await key("Enter");
    await page.getByText(/^Verified to #\d+$/).waitFor();
  });

  it("makes a registration token and takes it back", async () => {
    await go("Registration, sign-in");
    await tabTo(page, page.getByRole("button", { name: "Invite", exact: true }));
    await key("Enter");
    const dialog = page.getByRole("dialog", { name: "Invite somebody" });
    await dialog.waitFor();
    await page.keyboard.type("for Dora");
    await key("Enter");
    const shown = page.getByRole("alertdialog", { name: "Invite somebody" });
    await shown.getByText("Give it to nobody else.").waitFor();
    await key("Enter");
    await shown.waitFor({ state: "detached" });
    await page.getByText("for Dora").waitFor();
    await tabTo(page, grid("Registration tokens"));
    await key("x");
    await tabTo(
      page,
      page.getByRole("toolbar", { name: "With the selected rows" }).getByRole("button", { name: "Revoke" }),
    );
    await key("Enter");
    await because("Sent to the wrong Dora");
    await page.getByText(/^Revoked the token/).waitFor();
    const { items } = await api("/registration-tokens?valid=true");
    assert.deepEqual(items, []);
  });

  it("blocks a room, and takes it back within ten seconds", async () => {
    const cleo = await signInPerson(world.server.url, "cleo");
    const room = await createRoom(cleo, { name: "Somewhere" });
    await go("Rooms and spaces");
    await page.getByText("Somewhere").waitFor();
    await tabTo(page, grid("Rooms"));
    await key("Enter");
    await title(page, "Somewhere").waitFor();
    await act("Block");
    await because("Spam");
    await page.getByText("Blocked Somewhere.").waitFor();
    assert.equal((await api(`/rooms/${encodeURIComponent(room.id)}`)).blocked, true);
    await tabTo(page, page.getByRole("button", { name: "Undo" }), "Shift+Tab");
    await key("Enter");
    await page.getByText("Taken back.").waitFor();
    assert.equal((await api(`/rooms/${encodeURIComponent(room.id)}`)).blocked, false);
  });

  /** What the operator API says, to whom the console never spoke. */
  async function api(path: string): Promise<Json> {
    root ??= await signInPerson(world.server.url, "root");
    return root.call("GET", `/_parley/admin/v1${path}`);
  }

  it("complains of nothing on the way", () => assert.deepEqual(world.complaints, []));
});
