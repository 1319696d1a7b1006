/** What a person may change of their own account. All requests are the SDK's; passwords go through `uia.ts`. */
import type { MatrixClient } from "matrix-js-sdk";
import { withGivenPassword, withPassword } from "./uia.ts";

export interface Profile {
  userId: string;
  /** The name that others see; the user id's first part where none is set. */
  name: string;
  avatarMxc?: string;
}

/** The profile as the server has it. GET /v3/profile/{userId}. */
export async function loadProfile(client: MatrixClient): Promise<Profile> {
  const userId = client.getSafeUserId();
  const profile = await client.getProfileInfo(userId);
  const name = profile.displayname ?? localPart(userId);
  return { userId, name, ...(profile.avatar_url && { avatarMxc: profile.avatar_url }) };
}

/** Changes the name that others see. */
export async function changeName(client: MatrixClient, name: string): Promise<void> {
  await client.setDisplayName(name);
}

/** Uploads a picture and makes it the avatar. Avatars are not encrypted: everyone on the server may see them. */
export async function changeAvatar(client: MatrixClient, picture: Blob): Promise<void> {
  const { content_uri: mxc } = await client.uploadContent(picture, { name: "avatar", includeFilename: false });
  await client.setAvatarUrl(mxc);
}

export async function removeAvatar(client: MatrixClient): Promise<void> {
  await client.setAvatarUrl("");
}

export interface PasswordChange {
  current: string;
  next: string;
  /** Signs out all other sessions. */
  signOutOthers: boolean;
}

/** Changes the password; throws with `M_FORBIDDEN` when the present one is wrong. POST /v3/account/password. */
export async function changePassword(client: MatrixClient, change: PasswordChange): Promise<void> {
  const given = { userId: client.getSafeUserId(), password: change.current };
  await withGivenPassword(given, (auth) => client.setPassword(auth ?? {}, change.next, change.signOutOthers));
}

/** Ends the account for good. Throws CancelledError when the password dialog is closed. POST /v3/account/deactivate. */
export async function deactivateAccount(client: MatrixClient): Promise<void> {
  const options = { client, purpose: "deactivate your account" };
  await withPassword(options, (auth) => client.deactivateAccount(auth ?? undefined));
}

/** `ana` of `@ana:example.org`. */
export function localPart(userId: string): string {
  return userId.slice(1).split(":")[0] ?? userId;
}
