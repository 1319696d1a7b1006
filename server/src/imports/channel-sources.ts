/** Channels from CSV, a Slack export (channels.json or groups.json, with users.json) or a Mattermost bulk export (JSONL). No messages. */
import { z } from "zod";
import { csvRows } from "./csv-rows.ts";
import { parseLines, parseList, SourceError } from "./parse.ts";
import { peopleOf } from "./people-sources.ts";

export interface ChannelRow {
  row: number;
  name: string;
  displayName: string;
  topic: string | undefined;
  isPublic: boolean;
  /** Milliseconds since 1970; undefined where the file does not say. */
  created_ms: number | undefined;
  /** By user name as people are imported. */
  members: string[];
}

export interface ChannelsSource {
  format: "csv" | "slack" | "mattermost";
  /** CSV, channels.json or groups.json, or the whole JSONL. */
  channels: string;
  /** Of Slack: users.json. */
  users: string;
  /** Of CSV, where a row does not say it, and of Slack, whose private channels are a file of their own. */
  isPublic: boolean;
  /** Of CSV. */
  separator: string;
}

/** The channels of a file. Archived ones are left out. Throws SourceError. */
export async function channelsOf(source: ChannelsSource): Promise<ChannelRow[]> {
  if (source.format === "csv") return fromCsv(source);
  return source.format === "slack" ? fromSlack(source) : fromMattermost(source.channels);
}

const YES_OR_NO: Readonly<Record<string, boolean>> = {
  yes: true,
  true: true,
  "1": true,
  no: false,
  false: false,
  "0": false,
};

/** Columns: name, and where they are there topic, public (yes or no) and members (user names, with spaces between them). */
async function fromCsv({ channels, separator, isPublic }: ChannelsSource): Promise<ChannelRow[]> {
  const found: ChannelRow[] = [];
  for await (const { row, cell } of csvRows(channels, { separator, needed: ["name"] })) {
    const displayName = cell("name") ?? "";
    if (displayName === "") throw new SourceError(`Line ${row} has no name.`);
    const says = cell("public")?.toLowerCase() || String(isPublic);
    if (!Object.hasOwn(YES_OR_NO, says))
      throw new SourceError(`Line ${row}: "${says}" in the column "public" is neither yes nor no.`);
    found.push({
      row,
      name: aliasFor(displayName) || `channel-${row}`,
      displayName,
      topic: cell("topic") || undefined,
      isPublic: YES_OR_NO[says] as boolean,
      created_ms: undefined,
      members: [...new Set((cell("members") ?? "").split(/[\s,;]+/).flatMap((each) => localpartIn(each)))],
    });
  }
  return found;
}

/** `Release train!` is found by `#release-train`. */
function aliasFor(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^\p{Letter}\p{Number}._-]+/gu, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 100);
}

/** Of `ana`, `ana@example.org` and `@ana:example.org`. */
function localpartIn(text: string): string[] {
  const [name = ""] = text.replace(/^@/, "").split(/[@:]/);
  return name === "" ? [] : [name.toLowerCase()];
}

const texted = z.looseObject({ value: z.string() }).optional();
const slackChannel = z.looseObject({
  name: z.string().min(1),
  created: z.number().optional(),
  is_archived: z.boolean().optional(),
  members: z.array(z.string()).default([]),
  topic: texted,
  purpose: texted,
});

async function fromSlack({ channels, users, isPublic }: ChannelsSource): Promise<ChannelRow[]> {
  const people = await peopleOf({ format: "slack", text: users });
  const names = new Map(people.map(({ foreignId, username }) => [foreignId, username]));
  return (await parseList("The file of channels", channels, slackChannel)).flatMap((channel, i) =>
    channel.is_archived
      ? []
      : [
          {
            row: i + 1,
            name: channel.name,
            displayName: channel.name,
            topic: channel.topic?.value || channel.purpose?.value || undefined,
            isPublic,
            created_ms: channel.created === undefined ? undefined : channel.created * 1_000,
            members: channel.members.flatMap((id) => names.get(id) ?? []),
          },
        ],
  );
}

const mattermostChannel = z.looseObject({
  team: z.string(),
  name: z.string().min(1),
  display_name: z.string().optional(),
  type: z.enum(["O", "P"]),
  header: z.string().optional(),
  purpose: z.string().optional(),
});
const mattermostMember = z.looseObject({
  username: z.string(),
  teams: z
    .array(z.looseObject({ name: z.string(), channels: z.array(z.looseObject({ name: z.string() })).default([]) }))
    .nullish(),
});

async function fromMattermost(text: string): Promise<ChannelRow[]> {
  const members = new Map<string, string[]>();
  for (const { value } of await parseLines(text, { type: "user", schema: mattermostMember }))
    for (const team of value.teams ?? [])
      for (const channel of team.channels) {
        const key = `${team.name} ${channel.name}`;
        const list = members.get(key) ?? [];
        list.push(value.username.toLowerCase());
        members.set(key, list);
      }
  return (await parseLines(text, { type: "channel", schema: mattermostChannel })).map(({ row, value }) => ({
    row,
    name: value.name,
    displayName: value.display_name || value.name,
    topic: value.header || value.purpose || undefined,
    isPublic: value.type === "O",
    created_ms: undefined,
    members: members.get(`${value.team} ${value.name}`) ?? [],
  }));
}
