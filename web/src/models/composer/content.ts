/** The content of the events that a composer sends (Matrix client-server API, m.room.message and its relations). */
import { fromMarkdown } from "../format/fromMarkdown.ts";
import { matrixToUrl } from "../format/links.ts";
import { childrenOf, isBlock, type Rich, someNode } from "../format/rich.ts";
import { toHtml } from "../format/toHtml.ts";
import type { Draft } from "./draft.ts";

export interface TextContent {
  msgtype: "m.text" | "m.emote";
  body: string;
  format?: "org.matrix.custom.html";
  formatted_body?: string;
  "m.mentions": { user_ids?: string[]; room?: boolean };
  "m.relates_to"?: Relation;
  "m.new_content"?: Omit<TextContent, "m.relates_to" | "m.new_content">;
}

type Relation = { "m.in_reply_to": { event_id: string } } | { rel_type: "m.replace"; event_id: string };

/** Text that begins with this is told about oneself: "/me waves". */
const EMOTE = "/me ";

/**
 * The message for a draft. Plain text goes without HTML. Whom it names stands in `m.mentions`, always, so that the
 * server's push rules look nowhere else (intentional mentions); an edit names only who was not named before.
 */
export function messageContent(
  draft: Draft,
  options: { replySender?: string | undefined; before?: string[] } = {},
): TextContent {
  const emote = draft.text.startsWith(EMOTE);
  const text = (emote ? draft.text.slice(EMOTE.length) : draft.text).trim();
  const nodes = fromMarkdown(text, draft.mentions);
  const named = mentionedUsers(nodes);
  const base = textContent(text, nodes, emote);
  if (draft.editing) return edited(base, { eventId: draft.editing.id, named, before: options.before ?? [] });
  const { replyTo } = draft;
  const users = replyTo && options.replySender ? unique([...named, options.replySender]) : named;
  const content: TextContent = { ...base, "m.mentions": mentions(users, namesRoom(nodes)) };
  return replyTo ? { ...content, "m.relates_to": { "m.in_reply_to": { event_id: replyTo.id } } } : content;
}

function textContent(text: string, nodes: Rich[], emote: boolean): TextContent {
  const base: TextContent = { msgtype: emote ? "m.emote" : "m.text", body: text, "m.mentions": {} };
  if (!needsHtml(nodes)) return base;
  return { ...base, format: "org.matrix.custom.html", formatted_body: toHtml(nodes) };
}

function edited(base: TextContent, edit: { eventId: string; named: string[]; before: string[] }): TextContent {
  const fresh = edit.named.filter((user) => !edit.before.includes(user));
  const content: TextContent = {
    ...base,
    body: `* ${base.body}`,
    "m.mentions": mentions(fresh, false),
    "m.new_content": { ...base, "m.mentions": mentions(edit.named, false) },
    "m.relates_to": { rel_type: "m.replace", event_id: edit.eventId },
  };
  return base.formatted_body ? { ...content, formatted_body: `* ${base.formatted_body}` } : content;
}

/** Whether something would be lost without HTML: a mark, a list, a mention, a link with other words than its address. */
function needsHtml(nodes: Rich[]): boolean {
  return someNode(nodes, (node) => {
    if (node.t === "text" || node.t === "br") return false;
    if (node.t === "p") return nodes.length === 1 && nodes[0] !== node && isBlock(node);
    if (node.t !== "link") return true;
    const [only] = childrenOf(node);
    return !(node.c.length === 1 && only?.t === "text" && sameAddress(only.v, node.href));
  });
}

function sameAddress(shown: string, href: string): boolean {
  const bare = (text: string) => text.replace(/^https?:\/\//, "").replace(/\/$/, "");
  return bare(shown) === bare(href);
}

function mentionedUsers(nodes: Rich[]): string[] {
  const own = nodes.flatMap((node) => (node.t === "mention" && node.id.startsWith("@") ? [node.id] : []));
  return unique([...own, ...nodes.flatMap((node) => mentionedUsers(childrenOf(node)))]);
}

function namesRoom(nodes: Rich[]): boolean {
  return someNode(nodes, (node) => node.t === "text" && /(?:^|\s)@room(?:\s|$|[.,!?])/.test(node.v));
}

function mentions(users: string[], room: boolean): TextContent["m.mentions"] {
  return { ...(users.length > 0 ? { user_ids: users } : {}), ...(room ? { room: true } : {}) };
}

function unique(list: string[]): string[] {
  return [...new Set(list)];
}

/** The address under which any Matrix client finds this event. */
export function eventLink(roomId: string, eventId: string): string {
  return `${matrixToUrl(roomId)}/${encodeURIComponent(eventId)}`;
}
