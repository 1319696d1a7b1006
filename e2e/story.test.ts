/**
 * One command, two people, one encrypted conversation: in two browsers, as a person sees it.
 *
 * The parts run in order and build on each other. Pictures of every screen are left in `artefacts/e2e`; axe looks at
 * each of them in both themes and at phone width.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { press } from "./door.ts";
import { ANA, BEN, ROOM, settle, skip, startWorld, story, type World } from "./fixture.ts";
import { axeFindings, look } from "./look.ts";
import {
  actOn,
  chooseToInvite,
  composer,
  createPrivateChannel,
  goToRooms,
  heading,
  keysKept,
  message,
  openRoom,
  type Profile,
  proveSaved,
  readRecoveryKey,
  register,
  reply,
  saySaved,
  send,
  signIn,
  unlockWithKey,
  write,
} from "./person.ts";
import { picture } from "./picture.ts";

describe("two people, one encrypted conversation", { skip }, () => {
  let world: World;
  let ana: Profile;
  let ben: Profile;
  let anaKey = "";
  const part = story(() => world);

  before(async () => {
    world = await startWorld();
    ana = await world.fresh();
    ben = await world.fresh();
  });

  after(() => world?.[Symbol.asyncDispose]());

  part("the sign-in and registration screens are finished", async () => {
    await ana.page.goto("/login");
    await heading(ana.page, "Sign in").waitFor();
    await look(ana.page, "01-sign-in");
    await ana.page.goto("/register");
    await ana.page.getByLabel("User name").waitFor();
    await look(ana.page, "02-register");
  });

  part("the first person registers with the one-time link and sets up recovery", async () => {
    await register(ana.page, ANA, world.system.administratorLink);
    await look(ana.page, "03-recovery-key");
    anaKey = await readRecoveryKey(ana.page);
    await saySaved(ana.page);
    await look(ana.page, "04-check-key");
    await proveSaved(ana.page, anaKey);
    await heading(ana.page, "Welcome, ana").waitFor();
    await look(ana.page, "05-welcome");
  });

  part("the second person registers and sets up recovery", async () => void (await settle(ben, BEN)));

  part("one makes a private channel and invites the other, who joins", async () => {
    await createPrivateChannel(ana.page, ROOM);
    const dialog = await chooseToInvite(ana.page, ROOM, "ben");
    await look(ana.page, "06-invite");
    await dialog.getByRole("button", { name: "Invite", exact: true }).click();
    await ben.page.getByText("An invitation is waiting for you.").waitFor();
    assert.equal(await ben.page.getByText("Nothing is here yet", { exact: false }).count(), 0);
    await look(ben.page, "07-welcome-invited");
    await press(ben.page, `Invitation to ${ROOM}`);
    await heading(ben.page, `You are invited to ${ROOM}`).waitFor();
    await look(ben.page, "07-invited");
    await ben.page.getByRole("button", { name: "Join", exact: true }).click();
    await composer(ben.page, ROOM).waitFor();
  });

  part("they write to each other, and each reads what the other wrote", async () => {
    // Her own key and his: what she wrote and read can be read again without this device.
    const kept = keysKept(ana.page, 2);
    await send(ana.page, ROOM, "Is the release on track?");
    await message(ben.page, "Is the release on track?").waitFor();
    await write(composer(ben.page, ROOM), "Build 2211 is **green**.");
    await message(ana.page, "green").waitFor();
    await kept;
  });

  part("a picture is encrypted, sent and shown on the other side; so is a file", async () => {
    const field = ana.page.getByLabel("Files", { exact: true });
    await field.setInputFiles({ name: "teal.png", mimeType: "image/png", buffer: picture(160, [11, 110, 99]) });
    await ben.page.getByRole("log").getByRole("img", { name: "teal.png" }).waitFor();
    await field.setInputFiles({ name: "plan.txt", mimeType: "text/plain", buffer: Buffer.from("the plan\n") });
    for (const { page } of [ana, ben]) await page.getByRole("button", { name: "Download plan.txt" }).waitFor();
  });

  part("a message is changed, answered, reacted to and deleted, for both", async () => {
    await actOn(ana.page, "Is the release on track?", "Edit");
    await ana.page.getByRole("button", { name: "Cancel editing" }).waitFor();
    await write(composer(ana.page, ROOM), "Is release 2211 on track?");
    await message(ben.page, "Is release 2211 on track? (edited)").waitFor();
    await actOn(ben.page, "Is release 2211 on track? (edited)", "Reply");
    await ben.page.getByRole("button", { name: "Cancel reply" }).waitFor();
    await write(composer(ben.page, ROOM), "Yes, we ship at ten.");
    await ana.page.getByRole("button", { name: /ana Is release 2211 on track/ }).waitFor();
    await actOn(ana.page, "Yes, we ship at ten.", "React");
    await ana.page.getByRole("searchbox").fill("rocket");
    await ana.page
      .getByRole("gridcell", { name: /rocket/i })
      .first()
      .click();
    await ben.page.getByRole("button", { name: "🚀, 1" }).click();
    await ana.page.getByRole("button", { name: "🚀, 2" }).waitFor();
    await send(ben.page, ROOM, "Wrong room, sorry.");
    await message(ana.page, "Wrong room, sorry.").waitFor();
    await actOn(ben.page, "Wrong room, sorry.", "More actions");
    await ben.page.getByRole("menuitem", { name: /^Delete/ }).click();
    await ben.page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
    await ana.page.getByText("Deleted by ben").waitFor();
  });

  part("a thread has its own place, and its first message says how many replies there are", async () => {
    await actOn(ben.page, "Yes, we ship at ten.", "Reply in thread");
    await write(ben.page.getByRole("textbox", { name: "Reply in thread" }), "Who watches the graphs?");
    await ana.page.getByRole("button", { name: /^1 reply/ }).click();
    await reply(ana.page, "Who watches the graphs?").waitFor();
    await write(ana.page.getByRole("textbox", { name: "Reply in thread" }), "I do.");
    await reply(ben.page, "I do.").waitFor();
    await ana.page.getByRole("button", { name: /^2 replies/ }).waitFor();
    await look(ana.page, "08-room");
    await ana.page.getByRole("button", { name: "Close thread" }).click();
  });

  part("everything is closed; a new device and the recovery key bring it all back", async () => {
    await ana.context.close();
    ana = await world.fresh();
    await signIn(ana.page, ANA);
    await look(ana.page, "10-unlock");
    await unlockWithKey(ana.page, anaKey);
    await look(ana.page, "11-unlocked");
    await goToRooms(ana.page);
    await openRoom(ana.page, ROOM);
    await message(ana.page, "Is release 2211 on track? (edited)").waitFor();
    await message(ana.page, "green").waitFor();
    await ana.page.getByRole("log").getByRole("img", { name: "teal.png" }).waitFor();
    await ana.page.getByRole("button", { name: /^2 replies/ }).click();
    await reply(ana.page, "Who watches the graphs?").waitFor();
  });

  part("a page that is loaded again shows the room before the server has said anything of it", async () => {
    const { promise: shown, resolve: letGoOn } = Promise.withResolvers<void>();
    const news = /\/v3\/(sync|rooms\/[^/]+\/messages)|\/stream\/ticket/;
    await ana.page.route(news, async (route) => {
      await shown;
      await route.continue();
    });
    await ana.page.reload();
    await message(ana.page, "Is release 2211 on track? (edited)").waitFor();
    letGoOn();
    await ana.page.unrouteAll({ behavior: "wait" });
  });

  it("axe finds nothing on any of these screens", () => assert.deepEqual(axeFindings(), []));

  it("no page has complained", () => assert.deepEqual(world.complaints(), []));
});
