/** Shapes that several requests of this domain share. */
import { z } from "zod";
import { limits } from "../limits.ts";

/** A text that the database can keep: PostgreSQL has no U+0000 in its texts. */
export function text(most_characters: number = limits.identifier_bytes) {
  return z
    .string()
    .max(most_characters)
    .refine((value) => !value.includes("\0"), "it has the character U+0000");
}

/** Specification: "Identifier types". */
export const identifier = z.looseObject({
  type: z.string(),
  user: text().optional(),
  // Of m.id.thirdparty.
  medium: text().optional(),
  address: text().optional(),
});

/** What a request that needs user-interactive authentication carries under `auth`. */
export const auth = z.looseObject({ type: z.string().optional(), session: text().optional() });
export type Auth = z.output<typeof auth>;

/** What every way to a new session may say about the device. */
export const newDevice = {
  device_id: text().optional(),
  initial_device_display_name: text(limits.deviceName_characters).optional(),
  refresh_token: z.boolean().optional(),
};
