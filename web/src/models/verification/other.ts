import type { MatrixClient } from "matrix-js-sdk";
import type { VerificationRequest } from "matrix-js-sdk/lib/crypto-api/verification.js";
import { cryptoOf } from "../crypto/setup.ts";
import { localpart } from "../format/words.ts";

/** The other side of a verification, as it is named to a person. */
export interface Other {
  userId: string;
  /** The person's name, or the name of our own other device. */
  name: string;
  /** True when the other side is a device of this account. */
  isOwnDevice: boolean;
}

/** Who is at the other end of a request. A request to all own devices has no device yet. */
export async function otherOf(client: MatrixClient, request: VerificationRequest): Promise<Other> {
  const { otherUserId: userId, otherDeviceId, isSelfVerification: isOwnDevice } = request;
  if (!isOwnDevice) return { userId, isOwnDevice, name: nameOf(client, userId) };
  const devices = (await cryptoOf(client).getUserDeviceInfo([userId])).get(userId);
  const device = otherDeviceId === undefined ? undefined : devices?.get(otherDeviceId);
  return { userId, isOwnDevice, name: device?.displayName ?? otherDeviceId ?? "your other device" };
}

function nameOf(client: MatrixClient, userId: string): string {
  const name = client.getUser(userId)?.displayName;
  return name && name !== userId ? name : localpart(userId);
}
