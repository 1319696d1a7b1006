/** Account data in a sync. Specification: client-server-api, "Client config", and push module for m.push_rules. */
import { pushRulesContent } from "../push/stored-rules.ts";
import type { Run } from "./run.ts";

/** The global account data that changed, newest content first come. */
export function globalAccountData({ news, ask }: Run): string[] {
  const newest = new Map<string, string>();
  for (const entry of news.own)
    if (entry.kind === "account_data" && entry.roomId === null) newest.set(entry.type as string, entry.body);
  // Everybody has push rules, also those who never changed any.
  const stored = newest.get("m.push_rules");
  if (stored !== undefined || ask.isFirst) newest.set("m.push_rules", pushRulesContent(stored, ask.session.userId));
  const { matches } = ask.filter.accountData;
  return [...newest]
    .filter(([type]) => matches?.({ type }) ?? true)
    .map(([type, content]) => `{"type":${JSON.stringify(type)},"content":${content}}`);
}
