/** People from a file: CSV with any columns, the users of a Slack export (users.json), or those of a Mattermost bulk export (JSONL). */
import { z } from "zod";
import { csvRows } from "./csv-rows.ts";
import { parseLines, parseList } from "./parse.ts";

export interface PersonRow {
  /** Where it stands in the file, from 1. */
  row: number;
  username: string;
  displayName: string | undefined;
  /** What they are called in the file's other parts: of Slack an id, of Mattermost the user name. */
  foreignId: string;
}

export interface Columns {
  username: string;
  displayName?: string | undefined;
}

export type PeopleSource =
  | { format: "csv"; text: string; separator: string; columns: Columns }
  | { format: "slack" | "mattermost"; text: string };

/** The people of a file, in its order. Throws SourceError. */
export function peopleOf(source: PeopleSource): Promise<PersonRow[]> {
  if (source.format === "csv") return fromCsv(source);
  return source.format === "slack" ? fromSlack(source.text) : fromMattermost(source.text);
}

/** What is left of an e-mail address is its first part, and names are lower-case. */
function nameFrom(cell: string): string {
  return (cell.trim().split("@")[0] as string).toLowerCase();
}

async function fromCsv({ text, separator, columns }: Extract<PeopleSource, { format: "csv" }>): Promise<PersonRow[]> {
  const people: PersonRow[] = [];
  const { username, displayName } = columns;
  const needed = displayName === undefined ? [username] : [username, displayName];
  for await (const { row, cell } of csvRows(text, { separator, needed })) {
    const foreignId = cell(username) ?? "";
    const shown = displayName === undefined ? undefined : cell(displayName) || undefined;
    people.push({ row, username: nameFrom(foreignId), displayName: shown, foreignId });
  }
  return people;
}

const slackUser = z.looseObject({
  id: z.string(),
  name: z.string(),
  deleted: z.boolean().optional(),
  is_bot: z.boolean().optional(),
  profile: z.looseObject({ real_name: z.string().optional(), display_name: z.string().optional() }).optional(),
});

/** Who was deleted there, and bots, are left out. Slack: "users.json" of an export. */
async function fromSlack(text: string): Promise<PersonRow[]> {
  const users = await parseList("users.json", text, slackUser);
  return users.flatMap(({ id, name, deleted, is_bot: isBot, profile }, i) =>
    deleted || isBot
      ? []
      : [
          {
            row: i + 1,
            username: nameFrom(name),
            displayName: profile?.display_name || profile?.real_name || undefined,
            foreignId: id,
          },
        ],
  );
}

const mattermostUser = z.looseObject({
  username: z.string(),
  nickname: z.string().optional(),
  first_name: z.string().optional(),
  last_name: z.string().optional(),
});

/** Mattermost: "Bulk loading data", lines of the type user. */
async function fromMattermost(text: string): Promise<PersonRow[]> {
  return (await parseLines(text, { type: "user", schema: mattermostUser })).map(({ row, value }) => {
    const full = [value.first_name, value.last_name].filter(Boolean).join(" ");
    return {
      row,
      username: nameFrom(value.username),
      displayName: value.nickname || full || undefined,
      foreignId: value.username,
    };
  });
}
