/** Imports of people and channels: first what would become of a file, then the job. What came of it is in operations-log.ts. */
import { z } from "zod";
import { accountExists, isActive } from "../auth/queries.ts";
import { newUserId } from "../auth/user-names.ts";
import { operation, type Operation, type OperationRequest, reasonSchema } from "../console/operation.ts";
import type { Context } from "../context.ts";
import { matrixError, MatrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { isUserId } from "../rooms/rules/identifiers.ts";
import { createJob } from "../worker/jobs.ts";
import { type ChannelRow, channelsOf } from "./channel-sources.ts";
import { SourceError } from "./parse.ts";
import { type PeopleSource, peopleOf, type PersonRow } from "./people-sources.ts";
import { insertImport, type Kind, setJob } from "./queries.ts";

const dryRun = z.object({ dry_run: z.enum(["true", "false"]).default("true") });

const report = z.object({
  dry_run: z.boolean(),
  import_id: z.int().nullable(),
  job_id: z.int().nullable(),
  rows: z.int(),
  creates: z.int(),
  exists: z.int().meta({ description: "People who have an account already, and keep it as it is." }),
  problem_count: z.int(),
  problems: z.array(z.object({ row: z.int(), message: z.string() })).meta({ description: "The first hundred." }),
});

/** Throws M_INVALID_PARAM with what is wrong with the file. */
async function readSource<T>(read: () => Promise<T[]>): Promise<T[]> {
  try {
    const rows = await read();
    if (rows.length > limits.imports_rows) throw new SourceError(`The file has more than ${limits.imports_rows} rows.`);
    return rows;
  } catch (thrown) {
    if (thrown instanceof SourceError) throw matrixError("M_INVALID_PARAM", thrown.message);
    throw thrown;
  }
}

interface Looked {
  exists: number;
  problems: { row: number; message: string }[];
}

/** What would become of each person. */
async function lookAtPeople(ctx: Context, people: readonly PersonRow[]): Promise<Looked> {
  const looked: Looked = { exists: 0, problems: [] };
  const seen = new Set<string>();
  for (const { row, username } of people) {
    const message = await faultOf(ctx, username, seen);
    if (message === "exists") looked.exists += 1;
    else if (message !== undefined) looked.problems.push({ row, message });
  }
  return looked;
}

async function faultOf(ctx: Context, username: string, seen: Set<string>): Promise<string | undefined> {
  if (seen.has(username)) return `The user name "${username}" is in the file twice.`;
  seen.add(username);
  try {
    return (await accountExists(ctx, newUserId(ctx, username))) ? "exists" : undefined;
  } catch (thrown) {
    if (thrown instanceof MatrixError && thrown.errcode === "M_INVALID_USERNAME") return thrown.message;
    throw thrown;
  }
}

type Transact = Pick<OperationRequest, "transact" | "audit" | "actor">;

interface Begun {
  kind: Kind;
  rows: readonly { row: number }[];
  parameters?: object;
}

/** Writes the import down and makes its job: both, or neither. */
async function begin(ctx: Context, { transact, audit, actor }: Transact, { kind, rows, parameters }: Begun) {
  return transact(async (db) => {
    const importId = await insertImport(db, { kind, by: actor.userId, rows });
    const jobId = await createJob(
      ctx,
      {
        kind: `import.${kind}`,
        target: `import ${importId}`,
        parameters: { importId, ...parameters },
        createdBy: actor.userId,
      },
      db,
    );
    await setJob(db, importId, jobId);
    audit({ target: `import ${importId}`, after: { rows: rows.length, job_id: jobId } });
    return { import_id: importId, job_id: jobId };
  });
}

const peopleBody = z.object({
  format: z.enum(["csv", "slack", "mattermost"]).default("csv"),
  text: z
    .string()
    .meta({ description: "The file: CSV with a first line of names, users.json of Slack, or Mattermost's JSONL." }),
  separator: z.enum([",", ";", "\t"]).default(","),
  username_column: z
    .string()
    .default("username")
    .meta({ description: "Of CSV. Of an e-mail address the first part counts." }),
  display_name_column: z.string().optional(),
  reason: reasonSchema,
});

function sourceOf(body: z.output<typeof peopleBody>): PeopleSource {
  const { format, text, separator } = body;
  if (format !== "csv") return { format, text };
  return {
    format,
    text,
    separator,
    columns: { username: body.username_column, displayName: body.display_name_column },
  };
}

const importPeople = operation({
  id: "imports.people",
  method: "POST",
  path: "/imports/people",
  summary: "Makes accounts of the people in a file, or says what would become of it",
  description:
    "With `dry_run=false` a job makes them. They have no password until they follow their link: imports.links.",
  role: "operator",
  isOneTransaction: true,
  query: dryRun,
  body: peopleBody,
  bodyLimit_bytes: limits.importsBody_bytes,
  answer: report,
  command: { name: "import people", secrets: ["text"] },
  async handle(request, ctx) {
    const { body, query, audit } = request;
    const people = await readSource(() => peopleOf(sourceOf(body)));
    const { exists, problems } = await lookAtPeople(ctx, people);
    const wrong = new Set(problems.map(({ row }) => row));
    const rows = people.filter(({ row }) => !wrong.has(row));
    const isDry = query.dry_run === "true";
    if (isDry) audit({ target: "import", after: { dry_run: true, rows: people.length } });
    const begun = isDry ? { import_id: null, job_id: null } : await begin(ctx, request, { kind: "people", rows });
    return {
      dry_run: isDry,
      ...begun,
      rows: people.length,
      creates: rows.length - exists,
      exists,
      problem_count: problems.length,
      problems: problems.slice(0, 100),
    };
  },
});

const channelsBody = z.object({
  format: z.enum(["csv", "slack", "mattermost"]),
  channels: z.string().meta({
    description:
      "CSV with the column name, and if you like topic, public (yes or no) and members (user names, with spaces between them); channels.json or groups.json of Slack; Mattermost's JSONL.",
  }),
  separator: z.enum([",", ";", "\t"]).default(",").meta({ description: "Of CSV." }),
  users: z.string().default("[]").meta({ description: "users.json of Slack." }),
  public: z.boolean().default(true).meta({
    description: "Of CSV, for rows that do not say it. Of Slack: false for groups.json, whose channels are private.",
  }),
  owner: z
    .string()
    .refine(isUserId, "must be a user id")
    .meta({ description: "Who makes the rooms, and has the power in them." }),
  reason: reasonSchema,
});

async function lookAtChannels(ctx: Context, channels: readonly ChannelRow[]): Promise<Looked> {
  const problems: Looked["problems"] = [];
  for (const { row, name, members } of channels)
    for (const member of members)
      if (!(await isActive(ctx, `@${member}:${ctx.config.serverName}`)))
        problems.push({ row, message: `${member}, a member of ${name}, has no account here and is left out.` });
  return { exists: 0, problems };
}

const importChannels = operation({
  id: "imports.channels",
  method: "POST",
  path: "/imports/channels",
  summary: "Makes rooms of the channels in a file, with their members, or says what would become of it",
  description: "Import the people first. Messages are not imported.",
  role: "operator",
  isOneTransaction: true,
  query: dryRun,
  body: channelsBody,
  bodyLimit_bytes: limits.importsBody_bytes,
  answer: report,
  command: { name: "import channels", secrets: ["channels", "users"] },
  async handle(request, ctx) {
    const { body, query, audit } = request;
    const { format, channels, users, separator, public: isPublic, owner } = body;
    if (!(await isActive(ctx, owner))) throw matrixError("M_NOT_FOUND", `There is no ${owner} on this server.`);
    const rows = await readSource(() => channelsOf({ format, channels, users, isPublic, separator }));
    const { problems } = await lookAtChannels(ctx, rows);
    const isDry = query.dry_run === "true";
    if (isDry) audit({ target: "import", after: { dry_run: true, rows: rows.length } });
    const parameters = { owner };
    const begun = isDry
      ? { import_id: null, job_id: null }
      : await begin(ctx, request, { kind: "channels", rows, parameters });
    return {
      dry_run: isDry,
      ...begun,
      rows: rows.length,
      creates: rows.length,
      exists: 0,
      problem_count: problems.length,
      problems: problems.slice(0, 100),
    };
  },
});

export const importOperations: readonly Operation[] = [importPeople, importChannels];
