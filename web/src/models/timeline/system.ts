import { count, names } from "../format/words.ts";
import type { MemberAction, SystemItem } from "./item.ts";

const PHRASES: Record<MemberAction, string> = {
  joined: "joined",
  left: "left",
  invited: "invited",
  removed: "removed",
  banned: "banned",
  unbanned: "unbanned",
  declined: "declined the invite",
  renamed: "changed their name or picture",
};
const PASSIVE = new Set<MemberAction>(["invited", "removed", "banned", "unbanned"]);

/** Changes of the room that stand in a row, as one sentence; one item is told as it is. */
export function systemSentence(items: SystemItem[]): string {
  const [first] = items;
  if (items.length === 1 && first) return first.text;
  const parts = phrases(items);
  return parts.length > 3 ? `${count(items.length, "change")}: ${parts.slice(0, 3).join("; ")}; …` : parts.join("; ");
}

/** Members who did the same, together, where the first of them did it; what is not about members stands as it is. */
function phrases(items: SystemItem[]): string[] {
  const groups = new Map<string, { action: MemberAction | undefined; who: Set<string>; text: string }>();
  for (const { key, member, text } of items) {
    const name = member?.action ?? key;
    const group = groups.get(name) ?? { action: member?.action, who: new Set<string>(), text };
    if (member) group.who.add(member.name);
    groups.set(name, group);
  }
  return [...groups.values()].map(({ action, who, text }) => (action ? memberPhrase(action, [...who]) : text));
}

function memberPhrase(action: MemberAction, who: string[]): string {
  const verb = PASSIVE.has(action) ? `${who.length === 1 ? "was" : "were"} ${PHRASES[action]}` : PHRASES[action];
  return `${names(who)} ${verb}`;
}
