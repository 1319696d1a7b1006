/**
 * Exports: what a person, or an owner on their behalf, asks for, sees of it and fetches. Those of legal access (legal/) are kept in the
 * same tables, and are seen and fetched there alone.
 */
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { Readable } from "node:stream";
import { ZipFile } from "yazl";
import type { Context } from "../context.ts";
import type { Transaction } from "../db/database.ts";
import { asError, matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { refuseUnreachable, uploadsOf } from "../media/for-export.ts";
import { createJob } from "../worker/jobs.ts";
import type { Part } from "./export-job.ts";

export interface Export {
  export_id: number;
  state: "making" | "ready" | "failed";
  created_ts: number;
  created_by: string;
  expires_ts: number | null;
  records: number;
  /** Who fetched it, each time, the newest first. */
  fetches: { fetched_ts: number; fetched_by: string }[];
}

const unpack = promisify(gunzip);
const millis = (column: string) => `floor(extract(epoch from ${column}) * 1000)::bigint`;

/** Exports with their states; what follows chooses them. */
export const LIST_EXPORTS = `select e.job_id as export_id, ${millis("e.created_at")} as created_ts, e.created_by, ${millis("e.expires_at")} as expires_ts,
    case when e.ready_at is not null then 'ready' when j.state in ('queued', 'running') then 'making' else 'failed' end as state,
    coalesce((j.progress::json ->> 'records')::bigint, 0) as records,
    coalesce((select json_agg(json_build_object('fetched_ts', ${millis("f.fetched_at")}, 'fetched_by', f.fetched_by) order by f.fetch_id desc)
      from console.export_fetches f where f.job_id = e.job_id), '[]') as fetches
  from console.exports e left join console.jobs j using (job_id)`;
const LIST = `${LIST_EXPORTS} where e.user_id = $1 and e.access_id is null order by e.job_id desc limit $2`;

/** The newest first; those that are no longer kept are left out. */
export function listExports(ctx: Context, userId: string): Promise<Export[]> {
  return ctx.db.console.query<Export>(LIST, [userId, limits.exports]);
}

/**
 * Begins one, in a transaction of the schema console. Older ones beyond `limits.exports` go. Throws M_LIMIT_EXCEEDED while another
 * one of the same person is made.
 */
export async function beginExport(
  ctx: Context,
  db: Transaction,
  { userId, by }: { userId: string; by: string },
): Promise<number> {
  const job = {
    kind: "person.export",
    target: userId,
    parameters: { userId },
    createdBy: by,
    uniqueKey: `export ${userId}`,
  };
  const jobId = await createJob(ctx, job, db);
  await db.query("insert into console.exports (job_id, user_id, created_by) values ($1, $2, $3)", [jobId, userId, by]);
  await db.query(
    `delete from console.exports where job_id in (
       select job_id from console.exports where user_id = $1 and access_id is null order by job_id desc offset $2)`,
    [userId, limits.exports],
  );
  return jobId;
}

export function archiveHeaders(exportId: string): Record<string, string> {
  return { "content-type": "application/zip", "content-disposition": `attachment; filename="export-${exportId}.zip"` };
}

interface Ready {
  exportId: number;
  manifest: string;
  /** Null for one of a room. */
  userId: string | null;
}

export interface Wanted {
  exportId: string;
  /** Whose own it is, or the legal access that it was made under. */
  of: { userId: string } | { accessId: number };
  by: string;
  /** The device of Matrix that fetches it, where it is one. */
  device?: string | undefined;
}

/**
 * The archive of one that is ready; who fetches it is written down before anything of it is given. Throws M_NOT_FOUND where there is none
 * with this number, or it is not ready, M_UNKNOWN (501) where this process does not get at the files that belong into it, and
 * IO_PARLEY_UNAVAILABLE where those who have them are away. What fails after that breaks the archive off.
 */
export async function archiveOf(ctx: Context, { exportId, of, by, device }: Wanted): Promise<Readable> {
  const ready = await ctx.db.console.one<Ready>(
    `select job_id as "exportId", manifest, user_id as "userId" from console.exports
     where job_id = $1 and ready_at is not null and expires_at > now()
       and ${"userId" in of ? "access_id is null and user_id" : "access_id"} = $2`,
    [/^\d{1,15}$/.test(exportId) ? Number(exportId) : -1, "userId" in of ? of.userId : of.accessId],
  );
  if (!ready) throw matrixError("M_NOT_FOUND", "There is no such export, or it is not ready, or it is no longer kept.");
  if (ready.userId !== null) await refuseUnreachable(ctx, ready.userId);
  await ctx.db.console.query("insert into console.export_fetches (job_id, fetched_by, device_id) values ($1, $2, $3)", [
    ready.exportId,
    by,
    device ?? null,
  ]);
  const zip = new ZipFile();
  const output = zip.outputStream as Readable;
  // Whoever reads it hears of it, and nobody does yet.
  output.on("error", () => {});
  const fail = (thrown: unknown) => {
    if (output.destroyed) return;
    ctx.logger.warn({ err: asError(thrown), export: ready.exportId }, "an archive broke off");
    output.destroy(asError(thrown));
  };
  zip.on("error", fail);
  fill(ctx, zip, ready).then(() => zip.end(), fail);
  return output;
}

const README = `This is what the server has of a person, or of a room: manifest.json says which.

Each folder has records as lines of JSON; manifest.json says what the folders are, and has the SHA-256 of each file in them.
In "media" are the files that the person has uploaded. Messages that were encrypted are here as the server has them, and it can not read
them: the person's own client can export the keys to them.
`;

async function fill(ctx: Context, zip: ZipFile, { exportId, manifest, userId }: Ready): Promise<void> {
  zip.addBuffer(Buffer.from(README), "README.txt");
  zip.addBuffer(Buffer.from(`${JSON.stringify(JSON.parse(manifest), null, 2)}\n`), "manifest.json");
  const { parts } = JSON.parse(manifest) as { parts: readonly Part[] };
  for (const { section, number } of parts)
    add(zip, `${section}/${String(number).padStart(5, "0")}.jsonl`, () => readPart(ctx, { exportId, section, number }));
  // Which files a room has, nobody here can know.
  if (userId === null) return;
  for (let after = ""; ;) {
    const uploads = await uploadsOf(ctx, { userId, after, limit: limits.personFiles });
    for (const { mediaId, fileName, open } of uploads) add(zip, `media/${mediaId}${suffixOf(fileName)}`, open);
    if (uploads.length < limits.personFiles) return;
    after = uploads.at(-1)?.mediaId as string;
  }
}

/** A file of the archive, read when those before it are through. What is gone meanwhile is an empty file. */
function add(zip: ZipFile, name: string, open: () => Promise<Readable | undefined>): void {
  zip.addReadStreamLazy(name, (give) => {
    open().then(
      (stream) => give(null, boundTo(zip, stream ?? Readable.from([]))),
      (thrown: unknown) => zip.emit("error", thrown),
    );
  });
}

/** The library neither hears that a file can not be read on, nor closes it where nobody reads the archive any more. */
function boundTo(zip: ZipFile, file: Readable): Readable {
  const output = zip.outputStream as Readable;
  const end = () => void file.destroy();
  output.once("close", end);
  if (output.destroyed) end();
  return file.on("error", (thrown) => zip.emit("error", thrown)).once("close", () => output.off("close", end));
}

/** The ending of a file's name, where it is a plain one: the rest of a name is in the records, and not for a path. */
function suffixOf(fileName: string | null): string {
  return /\.[A-Za-z0-9]{1,10}$/.exec(fileName ?? "")?.[0] ?? "";
}

async function readPart(
  ctx: Context,
  { exportId, section, number }: { exportId: number; section: string; number: number },
): Promise<Readable> {
  const row = await ctx.db.console.one<{ content: Buffer }>(
    "select content from console.export_parts where job_id = $1 and section = $2 and number = $3",
    [exportId, section, number],
  );
  if (!row) throw matrixError("M_NOT_FOUND", "The export is no longer kept.");
  return Readable.from([await unpack(row.content)]);
}
