/** The frames that clients send, and their shapes. Documented in docs/protocol/stream.md. */
import { z } from "zod";
import { asError, matrixError } from "../errors.ts";
import { type Content, isObject } from "../rooms/rules/event.ts";

const signIn = z.object({
  type: z.literal("sign_in"),
  access_token: z.string().optional(),
  ticket: z.string().optional(),
  since: z.string().optional(),
  /** The id of a stored filter, or a filter. */
  filter: z.union([z.string(), z.looseObject({})]).optional(),
  full_state: z.boolean().optional(),
  use_state_after: z.boolean().optional(),
  "org.matrix.msc4222.use_state_after": z.boolean().optional(),
  set_presence: z.enum(["offline", "online", "unavailable"]).optional(),
});

const later = z.discriminatedUnion("type", [
  z.object({ type: z.literal("ack"), since: z.string() }),
  z.object({ type: z.literal("presence"), set_presence: z.enum(["offline", "online", "unavailable"]) }),
  z.object({ type: z.literal("ping") }),
  z.object({
    type: z.literal("send"),
    /** Told back with the answer. */
    id: z.int().min(0),
    room_id: z.string(),
    event_type: z.string(),
    txn_id: z.string(),
    content: z.custom<Content>(isObject, "must be an object"),
  }),
]);

export type SignInFrame = z.output<typeof signIn>;
export type LaterFrame = z.output<typeof later>;
export type SendFrame = Extract<LaterFrame, { type: "send" }>;

/** Reads the first frame of a connection. Throws M_NOT_JSON or M_BAD_JSON. */
export function readSignIn(data: Buffer, isBinary: boolean): SignInFrame {
  return read(signIn, data, isBinary);
}

/** Reads any frame after the first. Throws M_NOT_JSON or M_BAD_JSON. */
export function readFrame(data: Buffer, isBinary: boolean): LaterFrame {
  return read(later, data, isBinary);
}

function read<T extends z.ZodType>(schema: T, data: Buffer, isBinary: boolean): z.output<T> {
  if (isBinary) throw matrixError("M_NOT_JSON", "Frames are text.");
  let json: unknown;
  try {
    json = JSON.parse(data.toString());
  } catch (thrown) {
    throw matrixError("M_NOT_JSON", `The frame is not JSON: ${asError(thrown).message}`);
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const place = issue?.path.length ? `"${issue.path.join(".")}" of the frame` : "The frame";
  throw matrixError("M_BAD_JSON", `${place} is not valid: ${issue?.message ?? "unknown"}`);
}
