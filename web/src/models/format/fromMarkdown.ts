import { lexer, type Token, type Tokens } from "marked";
import { linkify, safeHref } from "./links.ts";
import { type Mention, signed } from "./mention.ts";
import type { Rich } from "./rich.ts";

/**
 * Markdown as a tree. Only marked's lexer is used; HTML that a person types stays text. A line break is a line break.
 * Occurrences of the chosen mentions in running text (not in code) become mentions.
 */
export function fromMarkdown(markdown: string, mentions: Mention[] = []): Rich[] {
  const tokens = lexer(markdown, { gfm: true, breaks: true });
  const nodes = blocks(tokens, { find: mentionFinder(mentions) });
  const only = nodes[0];
  return nodes.length === 1 && only?.t === "p" ? only.c : nodes;
}

interface Context {
  find: (text: string) => Rich[];
}

function blocks(tokens: Token[], context: Context): Rich[] {
  return tokens.flatMap((token) => block(token, context));
}

function block(token: Token, context: Context): Rich[] {
  switch (token.type) {
    case "space":
    case "def":
      return [];
    case "paragraph":
      return [{ t: "p", c: inlines(token.tokens ?? [], context) }];
    case "heading":
      return [{ t: "heading", level: (token as Tokens.Heading).depth, c: inlines(token.tokens ?? [], context) }];
    case "code": {
      const { text, lang } = token as Tokens.Code;
      const name = /^[\w+#.-]{1,30}/.exec(lang ?? "")?.[0];
      return [name ? { t: "pre", v: text, lang: name } : { t: "pre", v: text }];
    }
    case "blockquote":
      return [{ t: "quote", c: blocks(token.tokens ?? [], context) }];
    case "hr":
      return [{ t: "hr" }];
    case "list":
      return [list(token as Tokens.List, context)];
    case "table":
      return [table(token as Tokens.Table, context)];
    case "html":
      return [{ t: "p", c: textLines((token as Tokens.HTML).raw.replace(/\n+$/, ""), context) }];
    default:
      return inline(token, context);
  }
}

function list(token: Tokens.List, context: Context): Rich {
  const items = token.items.map((item) => {
    const nodes = blocks(item.tokens, context);
    const tight = nodes.flatMap((node) => (node.t === "p" && !token.loose ? node.c : [node]));
    return item.task ? [{ t: "text" as const, v: item.checked ? "☑ " : "☐ " }, ...tight] : tight;
  });
  return token.ordered ? { t: "list", start: Number(token.start) || 1, items } : { t: "list", items };
}

function table(token: Tokens.Table, context: Context): Rich {
  const cells = (row: Tokens.TableCell[]) => row.map((cell) => inlines(cell.tokens, context));
  return { t: "table", head: cells(token.header), rows: token.rows.map(cells) };
}

function inlines(tokens: Token[], context: Context): Rich[] {
  return tokens.flatMap((token) => inline(token, context));
}

function inline(token: Token, context: Context): Rich[] {
  switch (token.type) {
    case "strong":
    case "em":
    case "del":
      return [{ t: token.type, c: inlines(token.tokens ?? [], context) }];
    case "codespan":
      return [{ t: "code", v: (token as Tokens.Codespan).text }];
    case "br":
      return [{ t: "br" }];
    case "checkbox":
      return [];
    case "link":
      return link(token as Tokens.Link, context);
    case "image":
      return link({ ...(token as Tokens.Image), tokens: [] } as unknown as Tokens.Link, context);
    case "text":
      return token.tokens ? inlines(token.tokens, context) : textLines((token as Tokens.Text).text, context);
    case "escape":
      return [{ t: "text", v: (token as Tokens.Escape).text }];
    default:
      return textLines(token.raw, context);
  }
}

function link(token: Tokens.Link, context: Context): Rich[] {
  const href = safeHref(token.href);
  if (!href) return textLines(token.raw, context);
  const inner =
    token.tokens.length > 0 ? inlines(token.tokens, context) : [{ t: "text" as const, v: token.text || href }];
  return [{ t: "link", href, c: inner.flatMap((node) => (node.t === "link" ? node.c : [node])) }];
}

function textLines(text: string, context: Context): Rich[] {
  return text
    .split("\n")
    .flatMap((line, index) => (index === 0 ? context.find(line) : [{ t: "br" } as const, ...context.find(line)]));
}

/** Finds `@name` of the chosen mentions, the longest name first, so that "@Ana Duarte" is not read as "@Ana". */
function mentionFinder(mentions: Mention[]): (text: string) => Rich[] {
  const written = new Map(mentions.map((mention) => [signed(mention), mention]));
  if (written.size === 0) return linkify;
  const names = [...written.keys()].toSorted((a, b) => b.length - a.length).map(escapePattern);
  const pattern = new RegExp(`(^|[^\\p{L}\\p{N}])(${names.join("|")})(?![\\p{L}\\p{N}])`, "gu");
  return (text) => {
    const nodes: Rich[] = [];
    let end = 0;
    for (const match of text.matchAll(pattern)) {
      const mention = written.get(match[2] ?? "");
      if (!mention) continue;
      const start = match.index + (match[1]?.length ?? 0);
      if (start > end) nodes.push(...linkify(text.slice(end, start)));
      nodes.push({ t: "mention", id: mention.id, name: mention.name });
      end = match.index + match[0].length;
    }
    return end < text.length ? [...nodes, ...linkify(text.slice(end))] : nodes;
  };
}

function escapePattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
