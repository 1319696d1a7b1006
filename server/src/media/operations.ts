/** What operators ask about files and do with them. What is in a file nobody is shown here. */
import { z } from "zod";
import { cursorOf, readCursor } from "../console/cursor.ts";
import { operation, type Operation, pageOf, pageQuery, reasonSchema } from "../console/operation.ts";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { heldUploaders } from "../retention/holds.ts";
import { createJob } from "../worker/jobs.ts";
import {
  countMedia,
  type ListedMedia,
  listMedia,
  protect,
  quarantine,
  readMedia,
  totalsByUser,
} from "./for-operators.ts";
import { removeMedia } from "./remove.ts";

const file = z.object({
  media_id: z.string(),
  user_id: z.string(),
  created_ts: z.int(),
  size_bytes: z.int(),
  content_type: z.string(),
  quarantined: z.boolean(),
  protected: z.boolean(),
});
const yesOrNo = z.enum(["true", "false"]).transform((text) => text === "true");
const filters = {
  user_id: z.string().max(255).optional(),
  before_ts: z.coerce.number().int().min(0).optional().meta({ description: "Uploaded before this moment." }),
};

const list = operation({
  id: "media.list",
  method: "GET",
  path: "/media",
  summary: "Lists files: whose, how large, how old, of which type",
  role: "auditor",
  query: z.object({
    limit: pageQuery.limit,
    from: pageQuery.from,
    ...filters,
    least_bytes: z.coerce.number().int().min(0).optional(),
    quarantined: yesOrNo.optional(),
    sort: z.enum(["-created_ts", "-size_bytes"]).default("-created_ts"),
  }),
  answer: pageOf(file),
  command: {
    name: "media list",
    columns: ["media_id", "user_id", "size_bytes", "content_type", "created_ts", "quarantined", "protected"],
  },
  async handle({ query: { limit, from, sort, user_id: userId, ...filter } }, ctx) {
    const after = from === undefined ? undefined : readCursor(from, z.tuple([z.int(), z.string()]));
    const wanted = { userId, ...filter };
    const rows = await listMedia(ctx, {
      ...wanted,
      order: sort,
      after: after && { key: after[0], mediaId: after[1] },
      limit: limit + 1,
    });
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    const { files } = await countMedia(ctx, wanted);
    return {
      items: rows.slice(0, limit),
      ...(last ? { next: cursorOf([last.key, last.media_id]) } : {}),
      total: files,
    };
  },
});

const totals = operation({
  id: "media.totals",
  method: "GET",
  path: "/media-totals",
  summary: "Lists who has uploaded how much, whoever has the most first",
  role: "auditor",
  query: z.object({ limit: pageQuery.limit, from: pageQuery.from }),
  answer: pageOf(z.object({ user_id: z.string(), files: z.int(), bytes: z.int() })),
  command: { name: "media totals" },
  async handle({ query: { limit, from } }, ctx) {
    const after = from === undefined ? undefined : readCursor(from, z.tuple([z.int(), z.string()]));
    const rows = await totalsByUser(ctx, { after: after && { bytes: after[0], userId: after[1] }, limit: limit + 1 });
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    return { items: rows.slice(0, limit), ...(last ? { next: cursorOf([last.bytes, last.user_id]) } : {}) };
  },
});

const effect = operation({
  id: "media.effect",
  method: "GET",
  path: "/media-effect",
  summary: "Counts the files that a deletion would be about",
  description: "Protected files among them, and those that a legal hold keeps, would stay.",
  role: "auditor",
  query: z.object(filters),
  answer: z.object({ files: z.int(), bytes: z.int() }),
  command: { name: "media effect" },
  handle: ({ query: { user_id: userId, before_ts } }, ctx) => countMedia(ctx, { userId, before_ts }),
});

/** The file of a path. Throws M_NOT_FOUND. */
async function fileFor(ctx: Context, mediaId: string): Promise<ListedMedia> {
  const found = await readMedia(ctx, mediaId);
  if (!found) throw matrixError("M_NOT_FOUND", `There is no file ${mediaId}.`);
  return found;
}

const read = operation({
  id: "media.read",
  method: "GET",
  path: "/media/:mediaId",
  summary: "Shows a file's record",
  role: "auditor",
  answer: file,
  command: { name: "media show", arguments: ["mediaId"] },
  handle: ({ params: { mediaId } }, ctx) => fileFor(ctx, mediaId),
});

const withReason = z.object({ reason: reasonSchema });

const quarantineFile = operation({
  id: "media.quarantine",
  method: "POST",
  path: "/media/:mediaId/quarantine",
  summary: "Lets nobody have a file, nor any other with the same bytes; it is kept as it is",
  description:
    "Whoever asks for it is told that there is no such file. Who has it already, in their app, keeps it there.",
  role: "operator",
  body: withReason,
  answer: z.object({ files: z.int() }),
  command: { name: "media quarantine", arguments: ["mediaId"] },
  async handle({ params: { mediaId }, actor, audit }, ctx) {
    const before = await fileFor(ctx, mediaId);
    const files = await quarantine(ctx, mediaId, actor.userId);
    audit({ before: { quarantined: before.quarantined }, after: { quarantined: true, files } });
    return { files };
  },
});

const releaseFile = operation({
  id: "media.unquarantine",
  method: "DELETE",
  path: "/media/:mediaId/quarantine",
  summary: "Lets people have a file again that was in quarantine",
  role: "operator",
  answer: z.object({ files: z.int() }),
  command: { name: "media unquarantine", arguments: ["mediaId"] },
  async handle({ params: { mediaId }, audit }, ctx) {
    const before = await fileFor(ctx, mediaId);
    const files = await quarantine(ctx, mediaId, null);
    audit({ before: { quarantined: before.quarantined }, after: { quarantined: false, files } });
    return { files };
  },
});

const protectFile = operation({
  id: "media.protect",
  method: "PUT",
  path: "/media/:mediaId/protection",
  summary: "Keeps a file from being deleted with others, or no longer does",
  role: "operator",
  body: z.object({ protected: z.boolean().default(true) }),
  answer: z.object({ protected: z.boolean() }),
  command: { name: "media protect", arguments: ["mediaId"] },
  async handle({ params: { mediaId }, body, audit }, ctx) {
    const before = await fileFor(ctx, mediaId);
    await protect(ctx, mediaId, body.protected);
    audit({ before: { protected: before.protected }, after: { protected: body.protected } });
    return { protected: body.protected };
  },
});

const deleteOne = operation({
  id: "media.delete",
  method: "POST",
  path: "/media/:mediaId/delete",
  summary: "Deletes a file; there is no way back but a backup",
  role: "operator",
  body: withReason,
  answer: z.object({ files: z.int() }),
  command: { name: "media delete", arguments: ["mediaId"] },
  async handle({ params: { mediaId }, audit }, ctx) {
    const before = await fileFor(ctx, mediaId);
    if (before.protected) throw matrixError("M_FORBIDDEN", "The file is protected: take that back first.");
    if ((await heldUploaders(ctx)).includes(before.user_id))
      throw matrixError("M_FORBIDDEN", "A legal hold keeps what this person has uploaded: release it first.");
    const files = await removeMedia(ctx, [mediaId]);
    const { user_id, size_bytes, content_type } = before;
    audit({ before: { user_id, size_bytes, content_type }, after: { deleted: true } });
    return { files };
  },
});

const deleteMany = operation({
  id: "media.delete_many",
  method: "POST",
  path: "/media-deletions",
  summary: "Deletes the files of a person, those before a moment, or those of a person before a moment",
  description: "A job. Protected files stay, and those that a legal hold keeps.",
  role: "operator",
  body: withReason.extend({ user_id: z.string().max(255).optional(), before_ts: z.int().min(0).optional() }),
  answer: z.object({ job_id: z.int() }),
  command: { name: "media delete-many" },
  async handle({ body, actor, audit }, ctx) {
    const { user_id: userId, before_ts } = body;
    if (userId === undefined && before_ts === undefined)
      throw matrixError(
        "M_MISSING_PARAM",
        `Say whose files ("user_id"), or from when ("before_ts"): all at once is never deleted.`,
      );
    const before = await countMedia(ctx, { userId, before_ts });
    const job_id = await createJob(ctx, {
      kind: "media.delete",
      target: userId,
      parameters: { userId: userId ?? null, before_ts: before_ts ?? null },
      createdBy: actor.userId,
    });
    audit({ ...(userId === undefined ? {} : { target: userId }), before, after: { job_id, before_ts } });
    return { job_id };
  },
});

export const mediaOperations: readonly Operation[] = [
  list,
  totals,
  effect,
  read,
  quarantineFile,
  releaseFile,
  protectFile,
  deleteOne,
  deleteMany,
];
