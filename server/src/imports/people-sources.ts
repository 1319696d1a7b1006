/** People from a file: CSV with any columns, the users of a Slack export (users.json), or those of a Mattermost bulk export (JSONL). */
import { z } from "zod";
import { CsvError, readCsv } from "../explorer/csv.ts";
import { limits } from "../limits.ts";
import { othersTurn, parseLines, parseList, SourceError } from "./parse.ts";

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
  let at: { username: number; displayName: number } | undefined;
  try {
    for await (const { line, cells } of readCsv(chunksOf(text), separator)) {
      if (!at) at = placesOf(cells, columns);
      else {
        const cell = cells[at.username] ?? "";
        const displayName = cells[at.displayName]?.trim() || undefined;
        people.push({ row: line, username: nameFrom(cell), displayName, foreignId: cell });
      }
    }
  } catch (thrown) {
    if (thrown instanceof CsvError) throw new SourceError(`Line ${thrown.line}: ${thrown.message}.`);
    throw thrown;
  }
  return people;
}

async function* chunksOf(text: string): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let from = 0; from < bytes.length; from += limits.importTurn_bytes) {
    yield bytes.subarray(from, from + limits.importTurn_bytes);
    await othersTurn();
  }
}

function placesOf(header: readonly string[], { username, displayName }: Columns) {
  const find = (name: string): number => {
    const place = header.findIndex((cell) => cell.trim().toLowerCase() === name.toLowerCase());
    if (place === -1) throw new SourceError(`There is no column "${name}". The first line has: ${header.join(", ")}.`);
    return place;
  };
  return { username: find(username), displayName: displayName === undefined ? -1 : find(displayName) };
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
