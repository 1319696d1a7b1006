import { count, names } from "../format/words.ts";
import type { MemberAction, SystemItem } from "./item.ts";

const PHRASES: Record<MemberAction, string> = {
  joined: "joined",
  left: "left",
  invited: "invited",
  removed: "removed",
  banned: "banned",
  renamed: "changed their name or picture",
};
const PASSIVE = new Set<MemberAction>(["invited", "removed", "banned"]);

/** Changes of the room that stand in a row, as one sentence; one item is told as it is. */
export function systemSentence(items: SystemItem[]): string {
  const [first] = items;
  if (items.length === 1 && first) return first.text;
  const parts = phrases(items);
  return parts.length > 3 ? `${count(items.length, "change")}: ${parts.slice(0, 3).join("; ")}; …` : parts.join("; ");
}

/** What is not about members stands first, as it is; members who did the same are told together. */
function phrases(items: SystemItem[]): string[] {
  const byAction = new Map<MemberAction, Set<string>>();
  const others: string[] = [];
  for (const item of items) {
    if (!item.member) {
      others.push(item.text);
      continue;
    }
    const { action, name } = item.member;
    byAction.set(action, (byAction.get(action) ?? new Set()).add(name));
  }
  const members = [...byAction].map(([action, who]) => memberPhrase(action, [...who]));
  return [...others, ...members];
}

function memberPhrase(action: MemberAction, who: string[]): string {
  const verb = PASSIVE.has(action) ? `${who.length === 1 ? "was" : "were"} ${PHRASES[action]}` : PHRASES[action];
  return `${names(who)} ${verb}`;
}
