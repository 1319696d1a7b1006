/** Profiles: display name, avatar and whatever else people say of themselves. Specification: client-server-api, "Profiles". */
import { z } from "zod";
import { makeUser } from "../appservice/ask.ts";
import { accountExists } from "../auth/queries.ts";
import type { Context } from "../context.ts";
import { renamePerson } from "../directory/people.ts";
import { matrixError } from "../errors.ts";
import { route, type Route } from "../http.ts";
import { limits } from "../limits.ts";
import { propagateProfile } from "../rooms/profiles.ts";
import { localpartOf } from "../rooms/rules/identifiers.ts";
import { requireOwn } from "./own.ts";

export interface Profile {
  displayname?: string;
  avatar_url?: string;
  [field: string]: unknown;
}

/** What a person says of themselves; empty where they said nothing. */
export async function profileOf(ctx: Context, userId: string): Promise<Profile> {
  const row = await ctx.db.account.one<{ profile: string }>("select profile from account.profiles where user_id = $1", [
    userId,
  ]);
  return row ? (JSON.parse(row.profile) as Profile) : {};
}

/** The profiles of many people at once. */
export async function profilesOf(ctx: Context, userIds: readonly string[]): Promise<Map<string, Profile>> {
  const rows = await ctx.db.account.query<{ user_id: string; profile: string }>(
    "select user_id, profile from account.profiles where user_id = any($1)",
    [userIds],
  );
  return new Map(rows.map((row) => [row.user_id, JSON.parse(row.profile) as Profile]));
}

/**
 * Gives an account that is about to be made its user name as display name: there are clients that can not show a person without
 * one. A profile that is there already stays as it is.
 */
export async function beginProfile(ctx: Context, userId: string): Promise<void> {
  const profile: Profile = { displayname: localpartOf(userId) };
  const sql = "insert into account.profiles (user_id, profile) values ($1, $2) on conflict do nothing";
  await ctx.db.account.change(sql, [userId, JSON.stringify(profile)]);
}

const FIELD = /^(avatar_url|displayname|m\.tz|[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+)$/;

function fieldOf(params: Record<string, string>): string {
  const field = params["keyName"] as string;
  if (Buffer.byteLength(field) > limits.identifier_bytes)
    throw matrixError("M_KEY_TOO_LARGE", "The name of a profile field has at most 255 bytes.");
  if (!FIELD.test(field)) throw matrixError("M_INVALID_PARAM", `"${field}" is not the name of a profile field.`);
  return field;
}

/** The fields that clients show to others have a shape; the others hold any JSON. */
function checkValue(field: string, value: unknown): void {
  if (value === undefined) throw matrixError("M_MISSING_PARAM", `The body has no "${field}".`);
  const mustBeText = field === "displayname" || field === "avatar_url" || field === "m.tz";
  if (mustBeText && typeof value !== "string" && value !== null)
    throw matrixError("M_BAD_JSON", `"${field}" must be a string.`);
  const most_bytes = field === "displayname" ? limits.displayname_bytes : limits.profile_bytes;
  if (typeof value === "string" && Buffer.byteLength(value) > most_bytes)
    throw matrixError("M_PROFILE_TOO_LARGE", `"${field}" has at most ${most_bytes} bytes.`);
}

/** Sets one field, or takes it away where `value` is undefined, and shows the change in the person's rooms. */
export async function changeProfile(
  ctx: Context,
  userId: string,
  { field, value }: { field: string; value: unknown },
): Promise<object> {
  const profile = await writeField(ctx, userId, { field, value });
  if (field === "displayname") await renamePerson(ctx, userId, profile.displayname);
  if (field === "displayname" || field === "avatar_url") await propagateProfile(ctx, userId, profile);
  return {};
}

async function writeField(
  ctx: Context,
  userId: string,
  { field, value }: { field: string; value: unknown },
): Promise<Profile> {
  return ctx.db.account.transaction(async (db) => {
    await db.query("insert into account.profiles (user_id, profile) values ($1, '{}') on conflict do nothing", [
      userId,
    ]);
    const row = await db.one<{ profile: string }>(
      "select profile from account.profiles where user_id = $1 for update",
      [userId],
    );
    const profile = JSON.parse(row?.profile ?? "{}") as Profile;
    if (value === undefined) delete profile[field];
    else profile[field] = value;
    const text = JSON.stringify(profile);
    if (Buffer.byteLength(text) > limits.profile_bytes)
      throw matrixError("M_PROFILE_TOO_LARGE", `A profile has at most ${limits.profile_bytes} bytes.`);
    await db.query("update account.profiles set profile = $2 where user_id = $1", [userId, text]);
    return profile;
  });
}

const PATH = "/_matrix/client/v3/profile/:userId";

async function existing(ctx: Context, userId: string): Promise<Profile> {
  const profile = await profileOf(ctx, userId);
  if (Object.keys(profile).length > 0 || (await accountExists(ctx, userId))) return profile;
  if ((await makeUser(ctx, userId)) && (await accountExists(ctx, userId))) return profileOf(ctx, userId);
  throw matrixError("M_NOT_FOUND", "There is no such person on this server.");
}

export const profileRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: PATH,
    access: "anyone",
    handle: ({ params }, ctx) => existing(ctx, params["userId"] as string),
  }),
  route({
    method: "GET",
    path: `${PATH}/:keyName`,
    access: "anyone",
    async handle({ params }, ctx) {
      const field = fieldOf(params);
      const value = (await existing(ctx, params["userId"] as string))[field];
      if (value === undefined) throw matrixError("M_NOT_FOUND", `The profile has no "${field}".`);
      return { [field]: value };
    },
  }),
  route({
    method: "PUT",
    path: `${PATH}/:keyName`,
    access: "session",
    rate: "other",
    body: z.record(z.string(), z.unknown()),
    handle({ session, params, body }, ctx) {
      requireOwn(session, params["userId"]);
      const field = fieldOf(params);
      const value = body[field];
      checkValue(field, value);
      // Clients take a name away with null or an empty text.
      const isGone = (field === "displayname" || field === "avatar_url") && (value === null || value === "");
      return changeProfile(ctx, session.userId, { field, value: isGone ? undefined : value });
    },
  }),
  route({
    method: "DELETE",
    path: `${PATH}/:keyName`,
    access: "session",
    rate: "other",
    handle({ session, params }, ctx) {
      requireOwn(session, params["userId"]);
      return changeProfile(ctx, session.userId, { field: fieldOf(params), value: undefined });
    },
  }),
];
