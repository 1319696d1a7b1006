/** The body of `POST /createRoom`. Specification: client-server-api, "Creation". */
import { z } from "zod";
import { identifier } from "../../validate.ts";
import { isObject } from "./event.ts";
import type { Content } from "./event.ts";
import { isUserId } from "./identifiers.ts";

/**
 * How much one request may ask for. All events of a new room are appended together: with these limits they are at most
 * 159, which fits into one batch of the log. More people can be invited as soon as the room is there.
 */
export const createRoomLimits = { invites: 100, initialState_events: 50 } as const;

/** Objects go through untouched, so that no key that the schema does not know is lost on the way. */
const content = z.custom<Content>(isObject, "must be an object");
const userId = z.string().refine(isUserId, identifier("must be a user id"));

const initialEvent = z.object({
  type: z.string().min(1),
  state_key: z.string().default(""),
  content,
});

export const presets = ["private_chat", "public_chat", "trusted_private_chat"] as const;
export type Preset = (typeof presets)[number];

/** Checks the shape alone. What the parts mean together, and whether the room may be like that, `planRoom` decides. */
const members = z.object({
  visibility: z.enum(["public", "private"]).optional(),
  /** The local part of the alias, without `#` and server name. */
  room_alias_name: z.string().optional(),
  name: z.string().optional(),
  topic: z.string().optional(),
  invite: z.array(userId).max(createRoomLimits.invites).optional(),
  invite_3pid: z.array(z.unknown()).optional(),
  room_version: z.string().optional(),
  creation_content: content.optional(),
  initial_state: z.array(initialEvent).max(createRoomLimits.initialState_events).optional(),
  preset: z.enum(presets).optional(),
  is_direct: z.boolean().optional(),
  power_level_content_override: content.optional(),
});

/** What is null was not chosen: there are clients that name every key. */
export const createRoomBody = z.preprocess(withoutNulls, members);

function withoutNulls(body: unknown): unknown {
  if (!isObject(body)) return body;
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
}

export type CreateRoomBody = z.infer<typeof createRoomBody>;
