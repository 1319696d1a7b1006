/** Emoji by name, for the list at the caret. The data is the picker's own, fetched once from this server. */

export interface Emoji {
  emoji: string;
  label: string;
}

interface EmojiRecord {
  emoji: string;
  label: string;
  tags?: string[];
  group?: number;
}

/** Where the server has the emoji names; the picker takes them from there, too. */
export const EMOJI_URL = "/emoji";

let records: Promise<EmojiRecord[]> | null = null;

/** The emoji whose name or tags begin with the term, names first, at most `limit`. */
export async function findEmoji(term: string, limit = 8): Promise<Emoji[]> {
  records ??= load();
  return rank(await records, term.toLowerCase(), limit);
}

export function rank(all: EmojiRecord[], term: string, limit: number): Emoji[] {
  const scored = all.flatMap((record) => {
    const score = scoreOf(record, term);
    return score === null ? [] : [{ record, score }];
  });
  return scored
    .toSorted((a, b) => a.score - b.score)
    .slice(0, limit)
    .map(({ record }) => ({ emoji: record.emoji, label: record.label }));
}

function scoreOf(record: EmojiRecord, term: string): number | null {
  if (record.label === term) return 0;
  if (record.label.startsWith(term)) return 1;
  if (record.tags?.includes(term)) return 2;
  if (record.label.split(/[\s:-]+/).some((word) => word.startsWith(term))) return 3;
  if (record.tags?.some((tag) => tag.startsWith(term))) return 4;
  return null;
}

async function load(): Promise<EmojiRecord[]> {
  const response = await fetch(`${EMOJI_URL}/en/data.json`);
  if (!response.ok) {
    records = null;
    throw new Error(`emoji names: ${response.status}`);
  }
  const all = (await response.json()) as EmojiRecord[];
  return all.filter((record) => record.group !== undefined);
}
