// Two devices compare emoji. Specification: client-server-api, "Short Authentication String (SAS) verification".

import {
  CryptoEvent,
  type EmojiMapping,
  type ShowSasCallbacks,
  VerificationPhase,
  type VerificationRequest,
  VerificationRequestEvent,
  type Verifier,
  VerifierEvent,
} from "matrix-js-sdk/lib/crypto-api/index.js";
import type { Device } from "./device.ts";
import { waitFor } from "./wait.ts";

export type Comparison = {
  /** The seven emoji on either screen. */
  asking: EmojiMapping[];
  asked: EmojiMapping[];
  /** Both say that they match; resolves when the verification is done. */
  confirm(): Promise<void>;
};

/**
 * Brings two devices to the point where each shows its emoji. `ask` sends the request: to one's own devices, or to
 * somebody in a room.
 */
export async function compareEmoji(
  [asking, asked]: [Device, Device],
  ask: (asking: Device) => Promise<VerificationRequest>,
): Promise<Comparison> {
  const received = requestTo(asked);
  // A device takes no request of one that it has not heard of.
  await asked.until(`it knows ${asking.label}`, async () => {
    const known = await asked.crypto.getUserDeviceInfo([asking.userId]);
    return known.get(asking.userId)?.has(asking.deviceId);
  });
  const mine = await ask(asking);
  const theirs = await received;
  await theirs.accept();
  await reaches(mine, VerificationPhase.Ready);
  const myVerifier = await mine.startVerification("m.sas.v1");
  await reaches(theirs, VerificationPhase.Started);
  const theirVerifier = theirs.verifier as Verifier;
  const screens = [shows(asking, myVerifier), shows(asked, theirVerifier)];
  const verified = Promise.all([myVerifier.verify(), theirVerifier.verify()]);
  // Where one side fails before anything is shown, that is what is wrong.
  const failed = verified.then(() => Promise.reject(new Error("it was verified before anybody compared")));
  const [left, right] = (await Promise.race([Promise.all(screens), failed])) as [ShowSasCallbacks, ShowSasCallbacks];
  failed.catch(() => {});
  const confirm = async () => {
    // One after the other, as people do. At the same time, the second message of a device could overtake its first.
    await left.confirm();
    await right.confirm();
    await verified;
    await Promise.all([mine, theirs].map((request) => reaches(request, VerificationPhase.Done)));
  };
  return { asking: left.sas.emoji ?? [], asked: right.sas.emoji ?? [], confirm };
}

async function requestTo(device: Device): Promise<VerificationRequest> {
  let request: VerificationRequest | undefined;
  device.client.once(CryptoEvent.VerificationRequestReceived, (received) => (request = received));
  return device.until("somebody wants to verify with it", () => request);
}

async function reaches(request: VerificationRequest, phase: VerificationPhase): Promise<void> {
  await waitFor({
    what: `the verification reaches phase ${VerificationPhase[phase]}`,
    check: () => request.phase >= phase,
    listen: (look) => {
      request.on(VerificationRequestEvent.Change, look);
      return () => request.off(VerificationRequestEvent.Change, look);
    },
    instead: () => `It is in phase ${VerificationPhase[request.phase]} (${request.cancellationCode}).`,
  });
}

function shows(device: Device, verifier: Verifier): Promise<ShowSasCallbacks> {
  let emoji: ShowSasCallbacks | undefined;
  return waitFor({
    what: `${device.label} shows emoji`,
    check: () => emoji,
    listen: (look) => {
      const show = (shown: ShowSasCallbacks) => {
        emoji = shown;
        look();
      };
      verifier.on(VerifierEvent.ShowSas, show);
      return () => verifier.off(VerifierEvent.ShowSas, show);
    },
  });
}
