/**
 * The session of this browser: the one place that starts and ends a client.
 *
 * `state.ts` says which states there are; this module makes the transitions happen. All views read `useSession`.
 */
import type { MatrixClient } from "matrix-js-sdk";
import { create } from "zustand";
import { countUnsent } from "../client/unsentStore.ts";
import { encryptionNeed, type EncryptionNeed } from "../crypto/need.ts";
import { forgetSecretKeys } from "../crypto/secretKeys.ts";
import { forgetPush } from "../push/forget.ts";
import { forgetHandled } from "../verification/handled.ts";
import { logIn, logInByToken, logOut, type LoginAnswer } from "./api.ts";
import { deleteStores, openClient, openCrypto, saveWhenHidden, startSync, stopClient } from "./client.ts";
import {
  clearCredentials,
  type Credentials,
  loadCredentials,
  newCredentials,
  saveCredentials,
  withTokens,
} from "./credentials.ts";
import { deviceName, missingFeatures } from "./device.ts";
import { failureOf, isUnreachable } from "./failure.ts";
import { joinTabs, type Leadership } from "./leader.ts";
import { registerAccount, type RegistrationForm } from "./registration.ts";
import { nextState, type SessionEvent, type SessionState, type SignedOutReason, type StartStep } from "./state.ts";
import { addressToLeaveFor, takeLoginToken } from "./throughBrowser.ts";
import { forgetPassword, rememberPassword } from "./uia.ts";

/** The state of the session; a view selects what it shows. */
export const useSession = create<SessionState>()(() => ({ phase: "starting", step: "restoring" }));

/** Who signed in on the server's pages and was turned away, because this browser keeps the session of somebody else. */
export const useTurnedAway = create<{ userId: string | null }>()(() => ({ userId: null }));

/** The homeserver that serves this app; the content security policy allows no other. */
export const baseUrl = globalThis.location?.origin ?? "";

/** What runs in this tab: the client once its store is open, and the signal that ends it, which is there before. */
let running: { client: MatrixClient | null; stop: AbortController } | null = null;
let tabs: Leadership | null = null;
/** The session is being ended from here, so that the server refuses its token is no news. */
let leaving = false;

function dispatch(event: SessionEvent): void {
  useSession.setState(nextState(useSession.getState(), event), true);
}

/** Opens the session that is kept in this browser, or shows the sign-in screen. Called once, by the first view. */
export function restore(): void {
  if (tabs) return;
  const missing = missingFeatures();
  if (missing.length > 0) {
    const text = `Parley cannot run in this browser: it has no ${missing.join(" and no ")}.`;
    return dispatch({ type: "failed", error: { text }, unsupported: true });
  }
  const token = takeLoginToken();
  if (token !== undefined) return void comeBack(token);
  if (loadCredentials()) return join();
  dispatch({ type: "noCredentials" });
  followOtherTabs();
}

/**
 * Signs in with a password on a new device.
 *
 * @throws what `POST /login` throws; `failureOf(error, "signIn")` makes a sentence of it.
 */
export async function signIn(userName: string, password: string): Promise<void> {
  const answer = await logIn(baseUrl, { userName, password, deviceName: deviceName() });
  begin(answer, password);
}

/** Leaves this page for the server's own, where a passkey or a code signs in. `restore` goes on when the browser comes back. */
export function signInThroughBrowser(): void {
  location.assign(addressToLeaveFor(baseUrl));
}

/** The same, to the provider of this id. */
export function signInByProvider(id: string): void {
  location.assign(addressToLeaveFor(baseUrl, undefined, { provider: id }));
}

/** The same, to the page on which an account is made. */
export function registerThroughBrowser(): void {
  location.assign(addressToLeaveFor(baseUrl, undefined, { isNew: true }));
}

/** The browser comes back from the server's pages: a new device, or the one that was to sign in again. */
async function comeBack(token: string): Promise<void> {
  // A token stands in no history, and is not tried a second time.
  history.replaceState(null, "", "/");
  dispatch({ type: "step", step: "signing-in" });
  const credentials = loadCredentials();
  try {
    const device = credentials ? { deviceId: credentials.deviceId } : {};
    const answer = await logInByToken(baseUrl, { token, deviceName: deviceName(), ...device });
    if (!credentials) saveCredentials(newCredentials(baseUrl, answer));
    else if (answer.user_id === credentials.userId) saveCredentials(withTokens(credentials, answer));
    // Somebody else's session has no place in a browser that keeps the keys of this one.
    else {
      await logOut(baseUrl, answer.access_token);
      useTurnedAway.setState({ userId: answer.user_id });
    }
    join();
  } catch (error) {
    dispatch({ type: "failed", error: failureOf(error, "other") });
  }
}

/**
 * Registers an account and signs in with it. `token` comes from a registration link.
 *
 * @throws what `POST /register` throws; `failureOf(error, "register")` makes a sentence of it.
 */
export async function register(form: Omit<RegistrationForm, "deviceName">): Promise<void> {
  const answer = await registerAccount(baseUrl, { ...form, deviceName: deviceName() });
  begin(answer, form.password);
}

/** Signs in again after a soft logout, as the same device with its keys. Throws what `POST /login` throws. */
export async function signInAgain(password: string): Promise<void> {
  const credentials = loadCredentials();
  if (!credentials) return dispatch({ type: "signedOut", reason: "removed-elsewhere" });
  const { userId: userName, deviceId } = credentials;
  const answer = await logIn(baseUrl, { userName, password, deviceId, deviceName: deviceName() });
  saveCredentials(withTokens(credentials, answer));
  useTurnedAway.setState({ userId: null });
  await start();
}

/**
 * Ends the session on the server and deletes everything that is kept of it here.
 *
 * @throws when the server cannot be reached, unless `force` says to forget the session here all the same.
 */
export async function signOut({ force = false } = {}): Promise<void> {
  leaving = true;
  try {
    await endOnServer(force);
    await forget("by-you");
  } finally {
    leaving = false;
  }
}

async function endOnServer(force: boolean): Promise<void> {
  const credentials = loadCredentials();
  try {
    // The client renews a token that has expired; without one, the stored token has to do.
    if (running?.client) await running.client.logout();
    else if (credentials) await logOut(credentials.baseUrl, credentials.accessToken);
  } catch (error) {
    // A refusal says that the session has ended already.
    if (isUnreachable(error) && !force) throw error;
  }
}

/** Deletes what is kept here of a session that has already ended on the server. */
export async function forget(reason: SignedOutReason): Promise<void> {
  dispatch({ type: "step", step: "signing-out" });
  const credentials = loadCredentials();
  clearCredentials();
  forgetHandled();
  await stop();
  await forgetPush().catch(() => {});
  // Who signs out here was asked before.
  const lost = credentials && reason !== "by-you" ? await countUnsent(credentials.deviceId) : 0;
  if (credentials) await deleteStores(credentials.deviceId);
  tabs?.leave();
  tabs = null;
  dispatch({ type: "signedOut", reason, lost });
  followOtherTabs();
}

/** Ends the set-up or unlock screens: their work is done, or the person goes on without it. */
export function leaveSetup(): void {
  const credentials = loadCredentials();
  if (credentials) saveCredentials({ ...credentials, setupPending: false });
  forgetPassword();
  forgetSecretKeys();
  dispatch({ type: "setupLeft" });
}

/** Shows the set-up or unlock screens, from the rooms or from the other of the two. */
export function reopenSetup(need: Exclude<EncryptionNeed, "nothing">): void {
  dispatch({ type: "setupReopened", need });
}

/** Takes the session from the tab that has it. */
export function takeOver(): void {
  tabs?.takeOver();
}

function begin(answer: LoginAnswer, password: string): void {
  saveCredentials(newCredentials(baseUrl, answer));
  rememberPassword(password);
  join();
}

function join(): void {
  dispatch({ type: "step", step: "restoring" });
  tabs = joinTabs({
    onLead: () => void start(),
    onWait: () => dispatch({ type: "ownedElsewhere" }),
    onRelease: () => {
      dispatch({ type: "ownedElsewhere" });
      return stop();
    },
  });
}

/** A sign-in in another tab brings this one along. */
function followOtherTabs(): void {
  const follow = () => {
    if (tabs || !loadCredentials()) return;
    window.removeEventListener("storage", follow);
    join();
  };
  window.addEventListener("storage", follow);
}

async function start(): Promise<void> {
  const credentials = loadCredentials();
  if (!credentials) return forget("removed-elsewhere");
  const run = { client: null as MatrixClient | null, stop: new AbortController() };
  running = run;
  try {
    dispatch({ type: "step", step: "opening-store" });
    const client = await openClient({ read: () => loadCredentials() ?? credentials, write: saveCredentials });
    // Stopped while it was being opened: nobody else knows of it.
    if (run.stop.signal.aborted) return await stopClient(client);
    run.client = client;
    await startClient(client, credentials, run.stop.signal);
  } catch (error) {
    if (!run.stop.signal.aborted) return dispatch({ type: "failed", error: failureOf(error, "other") });
    // What was being opened at the moment of the stop is closed now.
    run.client?.stopClient();
  }
}

async function startClient(client: MatrixClient, credentials: Credentials, signal: AbortSignal): Promise<void> {
  // The first requests may say that the session is over, while others are on their way: that is then what is shown.
  const step = (step: StartStep) => {
    signal.throwIfAborted();
    dispatch({ type: "step", step });
  };
  await watchForLogout(client, credentials);
  step("loading-encryption");
  await openCrypto(client, credentials);
  signal.throwIfAborted();
  await followClient(client, signal);
  step("first-sync");
  await startSync(client, signal);
  saveWhenHidden(client, signal);
  const need = await needAtStart(client, credentials);
  signal.throwIfAborted();
  dispatch({ type: "started", client, need });
}

/** Only a device that has not been through its set-up asks the server; the others start without waiting for it. */
async function needAtStart(client: MatrixClient, credentials: Credentials): Promise<EncryptionNeed> {
  if (!credentials.setupPending) return "nothing";
  const need = await encryptionNeed(client).catch(() => "nothing" as const);
  if (need === "nothing") forgetPassword();
  return need;
}

async function stop(): Promise<void> {
  const ending = running;
  running = null;
  forgetSecretKeys();
  ending?.stop.abort(new Error("the client was stopped"));
  if (ending?.client) await stopClient(ending.client);
}

/** The models that listen to a running client; loaded with the SDK, because they are of no use before it. */
async function followClient(client: MatrixClient, signal: AbortSignal): Promise<void> {
  const { followEncryption } = await import("../crypto/status.ts");
  const { reportReadability } = await import("../crypto/reportReadability.ts");
  const { followVerifications } = await import("../verification/verification.ts");
  const { followPushes } = await import("../push/follow.ts");
  followPushes(client, signal);
  followVerifications(client, signal);
  followEncryption(client, signal);
  // It asks the server whether it wants to know, and nobody waits for that.
  reportReadability(client, signal).catch(() => {});
}

async function watchForLogout(client: MatrixClient, credentials: Credentials): Promise<void> {
  const { HttpApiEvent } = await import("matrix-js-sdk");
  client.on(HttpApiEvent.SessionLoggedOut, (error) => {
    if (running?.client !== client || leaving) return;
    if (error.data["soft_logout"] !== true) return void forget("removed-elsewhere");
    dispatch({ type: "tokenExpired", userId: credentials.userId });
    void stop();
  });
}
