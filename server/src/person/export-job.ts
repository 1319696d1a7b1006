/**
 * An export of what the server has of a person, or under legal access of a room, as a job: section by section, page by page, each page a part in the database. A step that is done twice writes
 * the same part again. What is in the parts is written down at the end, with the SHA-256 of each.
 */
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { z } from "zod";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Job, Step } from "../worker/job.ts";
import type { Page } from "./section.ts";
import { sections } from "./sections.ts";

const parameters = z.object({ userId: z.string() });

/** Sections have names, so that a version with others goes on in the right place. */
const cursor = z.object({ section: z.string(), after: z.string(), number: z.int() });
type Cursor = z.output<typeof cursor>;

export interface Part {
  section: string;
  number: number;
  records: number;
  sha256: string;
}

const pack = promisify(gzip);

/** A section of what is gathered, of whatever it is gathered of. */
export interface Gathered {
  name: string;
  about: string;
  read(ctx: Context, asked: { after: string; limit: number }): Promise<Page>;
}

export interface Gathering {
  sections: readonly Gathered[];
  /** What the manifest says of it besides. */
  told: Readonly<Record<string, string | number>>;
}

/** All that the server has of one person. */
export function sectionsOf(userId: string): readonly Gathered[] {
  return sections.map(({ name, about, read }) => ({
    name,
    about,
    read: (ctx, asked) => read(ctx, { userId, ...asked }),
  }));
}

export function exportStep(ctx: Context, job: Job): Promise<Step> {
  const { userId } = parameters.parse(job.parameters);
  return gatherStep(ctx, job, { sections: sectionsOf(userId), told: { user_id: userId } });
}

export async function gatherStep(ctx: Context, job: Job, { sections: all, told }: Gathering): Promise<Step> {
  const first = all[0]?.name as string;
  const at = job.cursor === null ? { section: first, after: "", number: 0 } : cursor.parse(job.cursor);
  const index = all.findIndex(({ name }) => name === at.section);
  const section = all[index];
  if (!section) throw new Error(`this version has no section ${at.section}`);
  const page = await section.read(ctx, { after: at.after, limit: limits.exportPart_records });
  const number = page.records.length > 0 ? at.number + 1 : at.number;
  if (page.records.length > 0) await keepPart(ctx, job, { section: at.section, number, records: page.records });
  const progress = {
    ...job.progress,
    records: (job.progress["records"] ?? 0) + page.records.length,
    sections_done: index,
    sections_total: all.length,
  };
  const next = nextOf(all[index + 1], { ...at, number }, page.next);
  if (!next) await finish(ctx, job, { sections: all, told });
  return { cursor: next ?? at, progress, isDone: next === undefined };
}

function nextOf(section: Gathered | undefined, at: Cursor, after: string | undefined): Cursor | undefined {
  if (after !== undefined) return { ...at, after };
  return section && { section: section.name, after: "", number: 0 };
}

async function keepPart(
  ctx: Context,
  { jobId, lease }: Job,
  part: { section: string; number: number; records: readonly string[] },
): Promise<void> {
  const text = `${part.records.join("\n")}\n`;
  const sha256 = createHash("sha256").update(text).digest("hex");
  const content = await pack(text);
  const kept = await ctx.db.console.one<{ size_bytes: number }>(
    `with kept as (
       insert into console.export_parts (job_id, section, number, records, sha256, content)
       select job_id, $3, $4, $5, $6, $7 from console.jobs where job_id = $1 and lease = $2
       on conflict (job_id, section, number) do update
       set records = excluded.records, sha256 = excluded.sha256, content = excluded.content
       returning job_id
     )
     select coalesce(sum(octet_length(p.content)), 0)::bigint as size_bytes
     from kept join console.export_parts p using (job_id)`,
    [jobId, lease, part.section, part.number, part.records.length, sha256, content],
  );
  if ((kept?.size_bytes ?? 0) + content.length > limits.export_bytes)
    throw matrixError(
      "M_TOO_LARGE",
      `An export has at most ${limits.export_bytes} bytes, and this one would have more.`,
    );
}

async function finish(ctx: Context, job: Job, { sections: all, told }: Gathering): Promise<void> {
  const parts = await ctx.db.console.query<Part>(
    "select section, number, records, sha256 from console.export_parts where job_id = $1 order by section, number",
    [job.jobId],
  );
  const about = Object.fromEntries(all.map(({ name, about: text }) => [name, text]));
  const manifest = { server_name: ctx.config.serverName, ...told, made_ts: ctx.seams.now_ms(), about, parts };
  await ctx.db.console.change(
    `update console.exports e set manifest = $3, ready_at = now(), expires_at = now() + $4 * interval '1 millisecond'
     from console.jobs j where e.job_id = $1 and j.job_id = e.job_id and j.lease = $2`,
    [job.jobId, job.lease, JSON.stringify(manifest), limits.exportKept_ms],
  );
}
