/** Every screen of the console and every state that a screen can be in, looked at in both themes, on a phone, and by axe. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { startService, type TestService } from "../testkit/src/appservice.ts";
import { createRoom, type TestRoom } from "../testkit/src/room.ts";
import type { Person } from "../testkit/src/http.ts";
import { soonFound } from "../testkit/src/wait.ts";
import { answerWith, type ConsoleWorld, people, signIn, startConsole, tabTo, title } from "./console.ts";
import { fill, type Hook } from "./console-content.ts";
import { skip } from "./fixture.ts";
import { axeFindings, look } from "./look.ts";

/** Each screen, by the name of its picture: its address, and what is there when it is drawn. */
const screens: readonly [name: string, path: string, shows: string | RegExp][] = [
  ["overview", "/", "To look at"],
  ["metrics", "/metrics", "Delivery"],
  ["users", "/users", "@ana:localhost"],
  ["devices", "/devices", "@ana:localhost"],
  ["registration", "/registration", "for Dora"],
  ["provisioning", "/registration/provisioning", "An e-mail address of this person"],
  ["providers", "/registration/providers", "Nobody signs in by a provider here"],
  ["registration-settings", "/registration/settings", "Passkeys, codes and the console"],
  ["operators", "/operators", "@adam:localhost"],
  ["rooms", "/rooms", "Release train"],
  ["media", "/media", "image/png"],
  ["media-people", "/media/people", "@ana:localhost"],
  ["reports", "/reports", "Shouting"],
  ["report", "/reports?open=1", "What it says is not shown here"],
  ["retention", "/retention", "Messages are kept for (days)"],
  ["retention-rooms", "/retention/rooms", "No room has a policy"],
  ["holds", "/retention/holds", "A dispute"],
  ["legal", "/retention/legal", "12 Cs 34/26"],
  ["graph-orphans", "/graph?question=orphans", /in \d+ rooms? is nobody at all/],
  ["graph-paths", "/graph?question=paths", /ha(s|ve) a role on this server/],
  ["graph-stale", "/graph?question=stale", /signed in and .* not seen since/],
  ["graph-taken", "/graph?question=taken", /exports were made, of which 0 left the server/],
  ["audit", "/audit", "Streamed to http://127.0.0.1:9"],
  ["bots", "/bots", "@deploys:localhost"],
  ["bot", "/bots/@deploys:localhost", "The bot has no token"],
  ["webhooks", "/integrations/webhooks", "Releases"],
  ["services", "/integrations/services", "it answered 502"],
  ["service", "/integrations/services?open=telegram", "@telegram_.*"],
  ["push", "/push", "push.example.org"],
  ["imports", "/imports", "Kind of file"],
  ["imports-channels", "/imports/channels", "Choose users.json"],
  ["imports-done", "/imports/done", "Nothing has been imported"],
  ["system", "/system", "Processes"],
  ["jobs", "/system/jobs", "No job has been made yet"],
  ["failures", "/system/failures", "Nothing has failed"],
  ["doctor", "/system/doctor", "What the doctor found"],
  ["backups", "/system/backups", "No backup has been taken"],
  ["configuration", "/system/configuration", "PARLEY_PORT"],
  ["versions", "/system/versions", "Licences"],
];

const GRAFANA = "https://grafana.example.org/d/parley";

/** Nothing listens there. */
const nowhere = { url: "http://127.0.0.1:9/", authorization: undefined, ca: undefined };

describe("the console", { skip }, () => {
  let bridge: TestService;
  let world: ConsoleWorld;
  let page: Page;
  let ana: Person;
  let room: TestRoom;
  let hook: Hook;

  before(async () => {
    bridge = await startService("telegram", {
      namespaces: {
        users: [{ exclusive: true, regex: "@telegram_.*" }],
        rooms: [{ exclusive: false, regex: "!.*" }],
      },
    });
    bridge.answer = () => ({ status: 502, body: {} });
    world = await startConsole({ config: { appservices: [bridge.file], auditStream: nowhere, grafanaUrl: GRAFANA } });
    [ana] = (await people(world.server, ["ana", "ben", "cleo"])) as [Person];
    ({ room, hook } = await fill(world, ana));
    await bridge.until("it refused a transaction, and is asked again", (asked) => asked.length > 1);
    page = await world.signedIn("root");
  });

  after(async () => {
    await world?.[Symbol.asyncDispose]();
    await bridge?.[Symbol.asyncDispose]();
  });

  for (const [name, path, shows] of screens)
    it(`shows ${name} in both themes and on a phone`, async () => {
      await page.goto(`/admin${path}`);
      await page.getByText(shows).first().waitFor();
      await look(page, `console-${name}`);
    });

  it("shows the same numbers as a table, for who reads rather than looks", async () => {
    await page.goto("/admin/metrics?range=1h");
    await page.getByRole("button", { name: "As a table" }).click();
    await page.getByRole("columnheader", { name: "Delivery, 99 % of all" }).waitFor();
    assert.equal(await page.getByRole("row").count(), 61);
    assert.equal(await page.getByRole("link", { name: "Open in Grafana" }).getAttribute("href"), GRAFANA);
  });

  it("opens what came in at a webhook to the headers that tell who posted, by the keyboard; none of them is a secret", async () => {
    const { ctx, url } = world.server;
    // As the release before noted one.
    await ctx.db.console.change(
      `insert into console.webhook_deliveries (webhook, address, status, took_ms, size_bytes) values ($1, '192.0.2.7', 200, 8, 20)`,
      [hook.webhook_id],
    );
    const posted = await fetch(new URL(new URL(hook.url).pathname, url), {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "user-agent": `GitHub-Hookshot/044aadd ${"for Release train ".repeat(20)}`,
        "x-github-event": "release",
        "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "x-hub-signature-256": "sha256=never-shown",
      },
      body: JSON.stringify({ text: "Released 1.2" }),
    });
    assert.equal(posted.status, 200);
    await page.goto(`/admin/integrations/webhooks?open=${hook.webhook_id}`);
    const deliveries = page.getByRole("group", { name: "Deliveries" });
    const opener = deliveries.getByRole("button", { name: /: Headers$/ });
    const headers = deliveries.getByRole("group", { name: /: Headers$/ });
    await tabTo(page, opener.first());
    assert.equal(await opener.first().getAttribute("aria-expanded"), "false");
    await page.keyboard.press("Enter");
    await headers.getByText("72d3162e-cc78-11e3-81ab-4c9367dc0958").waitFor();
    assert.match(await headers.innerText(), /^GitHub-Hookshot\/044aadd .*…$/m);
    assert.match(await headers.innerText(), /^\d+ more headers are not kept\.$/m);
    assert.doesNotMatch(await page.content(), /never-shown/);
    await tabTo(page, opener.last());
    await page.keyboard.press("Space");
    await headers.getByText("No headers were kept.").waitFor();
    await look(page, "console-webhook-deliveries");
    await page.setViewportSize({ width: 390, height: 780 });
    const seen = await headers.first().boundingBox();
    assert.ok((await deliveries.evaluate((table) => ((table.scrollLeft = 1_000), table.scrollLeft))) > 0);
    assert.deepEqual(await headers.first().boundingBox(), seen, "headers stay in sight where the table is scrolled");
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.keyboard.press("Enter");
    await headers.last().getByText("No headers were kept.").waitFor({ state: "detached" });
    assert.equal(await headers.count(), 1);
  });

  it("says what would become of a file of channels, and makes rooms of it when it is told to", async () => {
    await page.goto("/admin/imports/channels");
    const files = page.locator('input[type="file"]');
    const json = (name: string, value: object) => ({
      name,
      mimeType: "application/json",
      buffer: Buffer.from(JSON.stringify(value)),
    });
    await page.getByText("Choose users.json").waitFor();
    await files.nth(0).setInputFiles(json("channels.json", [{ name: "lunch", members: ["U1", "U2"] }]));
    const users = [
      { id: "U1", name: "ben" },
      { id: "U2", name: "nobody" },
    ];
    await files.nth(1).setInputFiles(json("users.json", users));
    await page.getByText("users.json", { exact: true }).waitFor();
    await page.getByLabel("Owner").fill("@ana:localhost");
    await page.getByLabel("Reason").fill("We move");
    await page.getByRole("button", { name: "Try without changing anything" }).click();
    await page.getByText("Would make 1 room of 1 row.").waitFor();
    await page.getByRole("group", { name: "Problems" }).getByText("nobody", { exact: false }).waitFor();
    await look(page, "console-imports-channels-tried");
    await page.getByRole("button", { name: "Make 1 room" }).click();
    await page.getByRole("link", { name: "What becomes of each" }).click();
    await page.getByText("lunch").first().waitFor();
  });

  it("shows a person with what they reach and where they are signed in, and a room with who is in it", async () => {
    for (const [name, path, shows] of [
      ["user", `/users/${ana.userId}`, "Nobody here can reset this person's recovery"],
      ["user-access", `/users/${ana.userId}/access`, "What this person reaches"],
      ["user-data", `/users/${ana.userId}/data`, "What was removed, and what was left"],
      ["graph-reach", `/graph?question=reach&user_id=${ana.userId}`, /^ana reaches \d+ rooms?/],
      ["graph-remove", `/graph?question=remove-person&user_id=${ana.userId}`, /^Without ana /],
      ["user-devices", `/users/${ana.userId}/devices`, "Sign out everywhere"],
      ["user-audit", `/users/${ana.userId}/audit`, "holds.place"],
      ["room", `/rooms/${room.id}`, "Who has power in it"],
      ["room-members", `/rooms/${room.id}/members`, ana.userId],
    ] as const) {
      await page.goto(`/admin${path}`);
      await page.getByText(shows).first().waitFor();
      await look(page, `console-${name}`);
    }
  });

  it("asks before what destroys, with counts, a reason and the name of what is destroyed", async () => {
    await page.goto(`/admin/rooms/${room.id}`);
    await page.getByRole("button", { name: "Act" }).click();
    await page.getByRole("menuitem", { name: "Shut down" }).click();
    const dialog = page.getByRole("alertdialog", { name: "Shut down Release train?" });
    await dialog.getByText("2 members will leave and 0 addresses will go.").waitFor();
    await look(page, "console-shut-down");
    const shutDown = dialog.getByRole("button", { name: "Shut down" });
    await dialog.getByLabel("Reason").fill("It is over.");
    assert.equal(await shutDown.isDisabled(), true, "without the name of the room");
    await dialog.getByLabel("Type Release train to go on").fill("Release train");
    assert.equal(await shutDown.isDisabled(), false);
    await dialog.getByRole("button", { name: "Cancel" }).click();
  });

  it("transfers the rooms of a person to a successor, by the keyboard, and says before what that does", async () => {
    const [fay] = (await people(world.server, ["fay"])) as [Person];
    for (const name of ["Handbook", "Onboarding"]) await createRoom(fay, { name, preset: "private_chat" });
    await page.goto(`/admin/users/${fay.userId}`);
    const open = async () => {
      await tabTo(page, page.getByRole("button", { name: "Act", exact: true }));
      await page.keyboard.press("Enter");
      await page.getByRole("menuitem", { name: "Transfer rooms" }).press("Enter");
    };
    await open();
    const dialog = page.getByRole("dialog", { name: "Transfer the rooms of @fay:localhost" });
    const says = (text: string) => dialog.getByRole("status").filter({ hasText: text }).waitFor();
    const transfer = dialog.getByRole("button", { name: "Transfer rooms" });
    await says("@fay:localhost administers 2 rooms, 2 of them alone.");
    await page.keyboard.type("@nobody:localhost");
    await dialog.getByText("There is no account @nobody:localhost on this server").waitFor();
    await dialog.getByLabel("Reason").fill("Fay leaves");
    assert.equal(await transfer.isDisabled(), true, "there is no such successor");
    await look(page, "console-transfer-refused");
    await dialog.getByLabel("Successor").fill("@root:localhost");
    await says("The successor is you: you will have all power in these rooms");
    await look(page, "console-transfer-self");
    await dialog.getByLabel("Successor").fill("@ben:localhost");
    await says("@ben:localhost will become an administrator of 2 rooms");
    await look(page, "console-transfer");
    await tabTo(page, transfer);
    await page.keyboard.press("Enter");
    await page.getByText(/^Transferring as job \d+/).waitFor();
    await dialog.waitFor({ state: "detached" });
    const jobs = `select 1 from console.jobs where kind = 'person.transfer' and state = 'done'`;
    await soonFound("the job is over", () => world.server.ctx.db.console.one(jobs));
    await page.goto(`/admin/users/${fay.userId}/audit`);
    await page.getByText("users.transferred").waitFor();
    await page.goto("/admin/users/@cleo:localhost");
    await open();
    await page.getByText("@cleo:localhost administers no room: there is nothing to transfer.").waitFor();
    await look(page, "console-transfer-nothing");
    await page.keyboard.press("Escape");
  });

  it("connects a directory with a token that is shown once, and takes it back", async () => {
    await page.goto("/admin/registration/provisioning");
    await page.getByRole("button", { name: "Connect a directory" }).click();
    const asked = page.getByRole("dialog", { name: "Connect a directory" });
    await asked.getByLabel("Name").fill("Entra ID");
    await look(page, "console-connect-directory");
    await asked.getByRole("button", { name: "Make the token" }).click();
    const shown = page.getByRole("alertdialog", { name: "Connect a directory" });
    await shown.getByText(/^psc_/).waitFor();
    await shown.getByRole("button", { name: "Done" }).click();
    const row = page.getByRole("row", { name: /Entra ID/ });
    await row.getByRole("button", { name: "Revoke" }).click();
    const sure = page.getByRole("alertdialog", { name: "Revoke the token of Entra ID?" });
    await sure.getByLabel("Reason").fill("Another directory");
    await sure.getByRole("button", { name: "Revoke" }).click();
    await page.getByText("Revoked the token of Entra ID.").waitFor();
    await row.waitFor({ state: "detached" });
  });

  it("shows that it loads, that there is nothing, that nothing matches and how to see all again", async () => {
    const waiting = await world.signedIn("root");
    await answerWith(waiting, "/users", "never");
    await waiting.goto("/admin/users");
    await waiting.getByRole("status", { name: "Loading" }).waitFor();
    await look(waiting, "console-loading");
    await waiting.context().close();
    await page.goto("/admin/users?q=nobody-is-called-so&status=active");
    await page.getByText("Nothing matches these filters.").waitFor();
    await look(page, "console-no-match");
    await page.getByRole("button", { name: "Clear filters" }).click();
    await page.getByText("@ben:localhost").waitFor();
    assert.equal(new URL(page.url()).search, "");
  });

  it("says what failed with the request's id, and asks again", async () => {
    const failing = await world.signedIn("root");
    await answerWith(failing, "/rooms", {
      status: 500,
      body: { errcode: "M_UNKNOWN", error: "Something failed here." },
    });
    await failing.goto("/admin/rooms");
    await failing.getByText("Something failed here.").waitFor();
    await failing.getByText("M_UNKNOWN · request r3qu3st1d").waitFor();
    await look(failing, "console-failed");
    await failing.unrouteAll();
    await failing.getByRole("button", { name: "Retry" }).click();
    await failing.getByText("Release train").waitFor();
    await failing.context().close();
  });

  it("says which role is needed and who has it; an auditor's buttons are off", async () => {
    const auditor = await world.signedIn("adam");
    await auditor.goto("/admin/users");
    await auditor.getByText("@ben:localhost").waitFor();
    assert.equal(await auditor.getByRole("button", { name: "Make an account" }).isDisabled(), true);
    await answerWith(auditor, "/devices", {
      status: 403,
      body: { errcode: "M_FORBIDDEN", error: "No.", required_role: "owner" },
    });
    await auditor.goto("/admin/devices");
    await auditor.getByText("This needs the role owner.").waitFor();
    await auditor.getByText("@root:localhost", { exact: false }).waitFor();
    await look(auditor, "console-forbidden");
    await auditor.context().close();
  });

  it("says how old its data is while the server is away, changes nothing, and goes on by itself", async () => {
    const alone = await world.signedIn("root");
    await alone.goto("/admin/users");
    await alone.getByText("@ben:localhost").waitFor();
    await alone.context().setOffline(true);
    await alone.getByRole("searchbox", { name: "Search users" }).fill("ana");
    await alone.getByText(/^Data from \d\d:\d\d\./).waitFor();
    assert.equal(await alone.getByRole("button", { name: "Make an account" }).isDisabled(), true);
    await look(alone, "console-offline");
    await alone.context().setOffline(false);
    await alone.getByRole("searchbox", { name: "Search users" }).fill("ben");
    await alone.getByText(/^Data from/).waitFor({ state: "detached" });
    await alone.context().close();
  });

  it("asks for the password again before a write when the last time was long ago, and then does it", async () => {
    const late = await world.signedIn("root");
    await world.server.ctx.db.console.change(
      "update console.sessions set data = jsonb_set(data::jsonb, '{confirmed_ms}', '0')::text",
    );
    await late.goto("/admin/users/@cleo:localhost");
    await late.getByRole("button", { name: "Act" }).click();
    await late.getByRole("menuitem", { name: "Suspend" }).click();
    const asked = late.getByRole("alertdialog", { name: "Suspend @cleo:localhost?" });
    await asked.getByLabel("Reason").fill("A lost laptop");
    await asked.getByRole("button", { name: "Suspend" }).click();
    const again = late.getByRole("dialog", { name: "Is this still you?" });
    await again.getByLabel("Password").fill("wrong");
    await again.getByRole("button", { name: "Go on" }).click();
    await again.getByText("The user name or the password is not right.").waitFor();
    await look(late, "console-confirm");
    await again.getByLabel("Password").fill("password of root");
    await again.getByRole("button", { name: "Go on" }).click();
    await late.getByText("Suspended @cleo:localhost.").waitFor();
    await late.getByRole("button", { name: "Undo" }).click();
    await late.getByText("Taken back.").waitFor();
    await late.context().close();
  });

  it("goes back to the sign-in page when the session ends, and to the same screen after it", async () => {
    const ended = await world.open();
    await ended.goto("/admin/audit");
    await ended.getByRole("heading", { name: "Parley console" }).waitFor();
    await look(ended, "console-sign-in");
    await ended.getByLabel("User name").fill("ana");
    await ended.getByLabel("Password").fill("password of ana");
    await ended.getByRole("button", { name: "Sign in" }).click();
    await ended.getByText("This account is no operator of this server.").waitFor();
    await signIn(ended, "root");
    await title(ended, "Audit log").waitFor();
    await world.server.ctx.db.console.change("delete from console.sessions");
    await ended.getByRole("link", { name: "Users" }).click();
    await ended.getByRole("button", { name: "Sign in" }).waitFor();
    await ended.context().close();
  });

  it("has nothing that axe finds, and nothing that its own policy refuses", () => {
    assert.deepEqual(axeFindings(), []);
    assert.deepEqual(world.complaints, []);
  });
});
