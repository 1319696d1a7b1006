/**
 * Notifications on a device, from the switch in the settings to what is shown. A browser under test has no push service, so the
 * subscription is that of a small one of ours, which reads what the server sends; DevTools hand that to the service worker.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { CDPSession, Page, Worker } from "playwright-core";
import { type PushService, startPushService } from "../testkit/src/push-service.ts";
import { press, openSettings } from "./door.ts";
import { ROOM, skip, startPair, story, type World } from "./fixture.ts";
import { axeFindings, look } from "./look.ts";
import { composer, message, type Profile, send } from "./person.ts";

const SWITCH = "Show notifications";

describe("notifications of a device", { skip }, () => {
  let world: World;
  let ana: Profile;
  let ben: Profile;
  let service: PushService;
  let worker: ServiceWorkerControl;
  const part = story(() => world);

  before(async () => {
    service = await startPushService();
    ({ world, ana, ben } = await startPair({ PARLEY_PUSH_HOSTS: "127.0.0.1" }));
    await ana.context.grantPermissions(["notifications"]);
    await ana.page.addInitScript(pretendToSubscribe, service.subscription);
    worker = await controlServiceWorker(ana.page);
  });

  after(async () => {
    await world?.[Symbol.asyncDispose]();
    await service?.[Symbol.asyncDispose]();
  });

  part("they are switched on in the settings, and stay on", async () => {
    await openSettings(ana.page, "notifications", "Notifications");
    await look(ana.page, "60-notifications-off");
    await ana.page.getByText(SWITCH, { exact: true }).click();
    await ana.page.getByRole("button", { name: "Send a test notification" }).waitFor();
    await look(ana.page, "61-notifications-on");
    await ana.page.reload();
    await ana.page.getByRole("button", { name: "Send a test notification" }).waitFor();
    assert.equal(await ana.page.getByRole("switch", { name: SWITCH }).isChecked(), true);
  });

  part("the button sends one that goes all the way", async () => {
    await press(ana.page, "Send a test notification");
    await ana.page.getByText("A notification is on its way").waitFor();
    const test = await service.took("the test arrives", ({ type }) => type === "io.parley.test");
    await worker.deliver(test);
    const [shown] = await worker.shown(1);
    assert.deepEqual(shown, { title: "Parley", body: "Notifications work on this device." });
    await worker.click();
    await worker.shown(0);
  });

  part("an open page decrypts what the push service could not read", async () => {
    await send(ben.page, ROOM, "The kettle is on.");
    const pushed = await service.took(
      "the message arrives",
      ({ sender_display_name }) => sender_display_name === "ben",
    );
    assert.equal(pushed.type, "m.room.encrypted");
    assert.doesNotMatch(JSON.stringify(service.taken), /kettle|ciphertext/);
    await worker.deliver(pushed);
    assert.deepEqual(await worker.shown(1), [{ title: `ben in ${ROOM}`, body: "The kettle is on." }]);
  });

  part("a click opens the room, and reading it takes the notification away", async () => {
    await worker.click();
    await composer(ana.page, ROOM).waitFor();
    await message(ana.page, "The kettle is on.").waitFor();
    await worker.shown(0);
  });

  part("while no page is open it says who wrote, and where", async () => {
    const before = service.taken.length;
    await ana.page.goto("about:blank");
    await send(ben.page, ROOM, "Where are you?");
    await service.took("the next one arrives", () => service.taken.length > before);
    await worker.deliver(service.taken.at(-1)?.message);
    await ana.page.goto("/favicon.svg");
    assert.deepEqual(await worker.shown(1), [{ title: `ben in ${ROOM}`, body: "New message" }]);
  });

  part("the switch ends them, in the browser and on the server", async () => {
    await openSettings(ana.page, "notifications", "Notifications");
    assert.equal((await pushersOf(ana.page)).length, 1);
    await ana.page.getByText(SWITCH, { exact: true }).click();
    await ana.page.getByRole("button", { name: "Send a test notification" }).waitFor({ state: "detached" });
    assert.deepEqual(await pushersOf(ana.page), []);
    await worker.shown(0);
  });

  it("no screen fails axe, and no page complained", () => {
    assert.deepEqual(axeFindings(), []);
    assert.deepEqual(world.complaints(), []);
  });
});

function pushersOf(page: Page): Promise<unknown[]> {
  return page.evaluate(async () => {
    const { accessToken } = JSON.parse(localStorage.getItem("parley.session") ?? "{}") as { accessToken: string };
    const headers = { authorization: `Bearer ${accessToken}` };
    const answer = await fetch("/_matrix/client/v3/pushers", { headers });
    return ((await answer.json()) as { pushers: unknown[] }).pushers;
  });
}

/** Runs in the page: the browser's part of a subscription, without its push service. */
function pretendToSubscribe({ endpoint, p256dh, auth }: PushService["subscription"]): void {
  let current: object | null = null;
  const decode = (text: string) =>
    Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (each) => each.charCodeAt(0)).buffer;
  const make = (options: { applicationServerKey: string }) => ({
    endpoint,
    options: { applicationServerKey: decode(options.applicationServerKey) },
    toJSON: () => ({ endpoint, keys: { p256dh, auth } }),
    unsubscribe() {
      current = null;
      return Promise.resolve(true);
    },
  });
  Object.assign(PushManager.prototype, {
    subscribe: (options: { applicationServerKey: string }) => Promise.resolve((current = make(options))),
    getSubscription: () => Promise.resolve(current),
  });
}

interface ServiceWorkerControl {
  /** Hands a message to the service worker as the browser does that got it from its push service, and waits until it is shown. */
  deliver(message: unknown): Promise<void>;
  /** What is shown, when it is so many. */
  shown(count: number): Promise<{ title: string; body: string }[]>;
  /** As a person clicks on the notification that is shown. */
  click(): Promise<void>;
}

async function controlServiceWorker(page: Page): Promise<ServiceWorkerControl> {
  const session: CDPSession = await page.context().newCDPSession(page);
  let found: { registrationId: string; scopeURL: string } | undefined;
  session.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
    found = registrations.find(({ isDeleted }) => !isDeleted) ?? found;
  });
  await session.send("ServiceWorker.enable");
  return {
    async deliver(told) {
      assert.ok(found, "there is a service worker");
      const { registrationId, scopeURL } = found;
      const origin = new URL(scopeURL).origin;
      const isShown = await watchNext(page);
      await session.send("ServiceWorker.deliverPushMessage", { origin, registrationId, data: JSON.stringify(told) });
      await isShown();
    },
    async shown(count) {
      await page.waitForFunction(async (wanted) => {
        const registration = await navigator.serviceWorker.getRegistration("/");
        return (await registration?.getNotifications())?.length === wanted;
      }, count);
      return page.evaluate(async () => {
        const registration = await navigator.serviceWorker.getRegistration("/");
        return ((await registration?.getNotifications()) ?? []).map(({ title, body }) => ({ title, body }));
      });
    },
    async click() {
      await workerOf(page).evaluate(async () => {
        const scope = globalThis as unknown as {
          registration: ServiceWorkerRegistration;
          dispatchEvent(event: Event): void;
          NotificationEvent: new (type: string, init: { notification: unknown }) => Event;
        };
        const [notification] = await scope.registration.getNotifications();
        scope.dispatchEvent(new scope.NotificationEvent("notificationclick", { notification }));
      });
    },
  };
}

function workerOf(page: Page): Worker {
  const [worker] = page.context().serviceWorkers();
  assert.ok(worker, "the service worker runs");
  return worker;
}

/**
 * Gives the function that waits until the service worker has shown its next notification. Until then nobody may ask which are shown:
 * Chromium takes one that is stored and not yet on the screen for one that was dismissed, and forgets it.
 */
async function watchNext(page: Page): Promise<() => Promise<void>> {
  const worker = workerOf(page);
  const shown = await worker.evaluateHandle(() => {
    const { registration } = globalThis as unknown as { registration: ServiceWorkerRegistration };
    const next = Promise.withResolvers<void>();
    registration.showNotification = (...args) => {
      Reflect.deleteProperty(registration, "showNotification");
      const showing = registration.showNotification(...args);
      showing.then(next.resolve, next.reject);
      return showing;
    };
    // In an object, because a promise of its own would be waited for here.
    return { next: next.promise };
  });
  return () => shown.evaluate(({ next }) => next);
}
