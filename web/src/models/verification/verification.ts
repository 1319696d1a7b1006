/**
 * The verifications of this device: those it asked for and those it was asked for, one on the screen at a time.
 *
 * The SDK's request object changes under its own events; each change makes a new `ActiveVerification`, which is all that
 * a view sees. `flow.ts` decides which step it is.
 */
import type { MatrixClient } from "matrix-js-sdk";
import { CryptoEvent } from "matrix-js-sdk/lib/crypto-api/CryptoEvent.js";
import {
  VerificationPhase,
  type VerificationRequest,
  VerificationRequestEvent,
  type Verifier,
  VerifierEvent,
} from "matrix-js-sdk/lib/crypto-api/verification.js";
import { create } from "zustand";
import { cryptoOf } from "../crypto/setup.ts";
import { hasCamera } from "./camera.ts";
import { directRoomWith } from "./directRoom.ts";
import { type RequestFacts, stepOf, type VerificationStep } from "./flow.ts";
import { rememberHandled, wasHandled } from "./handled.ts";
import { type Other, otherOf } from "./other.ts";
import { factsOf, type Flow, newFlow, type Outcome } from "./running.ts";

const SAS = "m.sas.v1";
/** An app of ours begins within a round trip; one of others may wait for a press on either side. */
const OFFER_AFTER_MS = 3_000;

const SHOW_CODE = "m.qr_code.show.v1";

export interface ActiveVerification {
  other: Other;
  view: VerificationStep;
}

/** The verification on the screen; null when there is none. */
export const useVerification = create<{ active: ActiveVerification | null }>()(() => ({ active: null }));

let client: MatrixClient | null = null;
let current: Flow | null = null;
const queue: VerificationRequest[] = [];

/** Listens for requests until the signal aborts. */
export function followVerifications(ofClient: MatrixClient, signal: AbortSignal): void {
  client = ofClient;
  const receive = (request: VerificationRequest) => {
    if (!wasHandled(request.transactionId ?? "")) void open(request);
  };
  ofClient.on(CryptoEvent.VerificationRequestReceived, receive);
  signal.addEventListener("abort", () => {
    ofClient.off(CryptoEvent.VerificationRequestReceived, receive);
    queue.length = 0;
    close();
    client = null;
  });
}

/** Asks another person to verify, in the direct conversation with them. Throws when they have no keys, or on a failed request. */
export async function startUserVerification(userId: string): Promise<void> {
  const matrix = clientOrThrow();
  const crypto = cryptoOf(matrix);
  if (!(await crypto.userHasCrossSigningKeys(userId, true))) {
    throw new Error("this person has not set up encryption yet");
  }
  const roomId = await directRoomWith(matrix, userId);
  await open(await crypto.requestVerificationDM(userId, roomId));
}

/** Asks all other devices of this account to verify this one. Resolves when that has come to an end. */
export async function startOwnVerification(): Promise<Outcome> {
  const flow = await open(await cryptoOf(clientOrThrow()).requestOwnUserVerification());
  return flow ? flow.outcome.promise : "ended";
}

/** Asks one other device of this account to verify with this one. */
export async function startDeviceVerification(deviceId: string): Promise<void> {
  const matrix = clientOrThrow();
  await open(await cryptoOf(matrix).requestDeviceVerification(matrix.getSafeUserId(), deviceId));
}

/** Accepts the request on the screen. */
export async function acceptVerification(): Promise<void> {
  await act("accepted", (flow) => flow.request.accept());
}

/** Chooses to compare emoji. */
export async function compareEmoji(): Promise<void> {
  await act("emoji", async (flow) => void (await flow.request.startVerification(SAS)));
}

/** Says that the emoji are the same, or that the other device shows that it scanned our code. */
export async function confirmMatch(): Promise<void> {
  await act("match", async ({ request }) => {
    const code = request.verifier?.getReciprocateQrCodeCallbacks();
    if (code) return code.confirm();
    await request.verifier?.getShowSasCallbacks()?.confirm();
  });
}

/** Says that the emoji differ; both sides stop. */
export function reportMismatch(): void {
  const sas = current?.request.verifier?.getShowSasCallbacks();
  if (sas) sas.mismatch();
  else void current?.request.cancel();
}

/** Gives the bytes of a code that was scanned from the other device. Throws when it is the code of something else. */
export async function giveScannedCode(bytes: Uint8ClampedArray): Promise<void> {
  await act("scannedTheirs", async (flow) => void (await flow.request.scanQRCode(bytes)));
}

/** Closes the layer; a verification that still runs is cancelled. The next request in the queue comes up. */
export function closeVerification(): void {
  const request = current?.request;
  if (request?.transactionId !== undefined) rememberHandled(request.transactionId);
  close();
  if (request?.pending) void request.cancel().catch(() => undefined);
  const next = queue.shift();
  if (next) void open(next);
}

/** Puts a request on the screen, or in the queue behind the one that is there (null then). */
async function open(request: VerificationRequest): Promise<Flow | null> {
  if (current?.request === request) return current;
  if (current?.request.pending && !request.initiatedByMe) {
    queue.push(request);
    return null;
  }
  close();
  const matrix = clientOrThrow();
  const other = await otherOf(matrix, request);
  const flow = newFlow(request, other);
  current = flow;
  const change = () => void onChange(flow);
  request.on(VerificationRequestEvent.Change, change);
  const timer = setTimeout(() => onTimeout(flow), request.timeout ?? 0);
  if (request.timeout === null) clearTimeout(timer);
  flow.end.signal.addEventListener("abort", () => {
    clearTimeout(timer);
    request.off(VerificationRequestEvent.Change, change);
  });
  await onChange(flow);
  return flow;
}

function close(): void {
  current?.end.abort();
  current?.outcome.resolve("ended");
  current = null;
  useVerification.setState({ active: null });
}

async function onChange(flow: Flow): Promise<void> {
  if (flow !== current) return;
  const { request } = flow;
  if (request.phase === VerificationPhase.Ready && !flow.prepared) await prepareMethods(flow);
  // Both sides have to take part in what was started; for the one that was asked, this is how it accepts.
  if (request.phase === VerificationPhase.Started && request.verifier) takePart(flow, request.verifier);
  publish(flow);
}

/** Plays our side of a method; how it ends is seen in the request's phase. */
function takePart(flow: Flow, verifier: Verifier): void {
  if (flow.verifier !== verifier) {
    flow.verifier = verifier;
    // The pictures are ready only after the change that announces them.
    verifier.on(VerifierEvent.ShowSas, () => publish(flow));
  }
  verifier.verify().catch(() => undefined);
}

/** Makes our code, and sees whether theirs can be scanned; with neither, the side that asked goes straight to emoji. */
async function prepareMethods(flow: Flow): Promise<void> {
  const { request } = flow;
  flow.prepared = true;
  flow.code = (await request.generateQRCode().catch(() => undefined)) ?? null;
  flow.canScan = request.otherPartySupportsMethod(SHOW_CODE) && (await hasCamera());
  const nothingToScan = flow.code === null && !flow.canScan;
  if (nothingToScan && request.phase === VerificationPhase.Ready) return goToEmoji(flow);
  flow.offered = true;
}

/** The side that asked begins; the other waits for it, for so long as one that begins by itself would need. */
async function goToEmoji(flow: Flow): Promise<void> {
  if (flow.request.initiatedByMe) {
    // When it cannot be sent the person may press for it.
    await compareEmoji().catch(() => (flow.offered = true));
    return;
  }
  const timer = setTimeout(() => {
    flow.offered = true;
    publish(flow);
  }, OFFER_AFTER_MS);
  flow.end.signal.addEventListener("abort", () => clearTimeout(timer));
}

function onTimeout(flow: Flow): void {
  if (flow.request.phase >= VerificationPhase.Started) return;
  flow.timedOut = true;
  void flow.request.cancel().catch(() => undefined);
  publish(flow);
}

/** Marks what the person said, so that the view moves at once, and takes it back when it could not be sent. */
async function act(told: RequestFacts["told"], send: (flow: Flow) => void | Promise<void>): Promise<void> {
  const flow = current;
  if (!flow) return;
  const before = flow.told;
  flow.told = told;
  publish(flow);
  try {
    await send(flow);
  } catch (error) {
    flow.told = before;
    publish(flow);
    throw error;
  }
}

function publish(flow: Flow): void {
  if (flow !== current) return;
  noteHandled(flow);
  const view = stepOf(factsOf(flow));
  if (view.step === "cancelled" && view.cause === "unanswered") return closeVerification();
  if (view.step === "done") flow.outcome.resolve("done");
  if (view.step === "cancelled") flow.outcome.resolve("ended");
  useVerification.setState({ active: { other: flow.other, view } });
}

/** What was answered, or is over, must not ask again after a reload. */
function noteHandled({ request, told }: Flow): void {
  const isOpen = request.pending && told === "nothing";
  if (!isOpen && request.transactionId !== undefined) rememberHandled(request.transactionId);
}

function clientOrThrow(): MatrixClient {
  if (!client) throw new Error("nobody is signed in");
  return client;
}
