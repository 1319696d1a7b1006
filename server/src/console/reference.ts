/**
 * The reference of the operator API, for people: one page without any script, made from the operations. See
 * docs/decisions/0042-operations-as-data.md for why it is not one of the known viewers.
 */
import type { z } from "zod";
import { Answer, route, type Route } from "../http.ts";
import { version } from "../version.ts";
import { openApiOf, type Schema, schemaOf } from "./openapi.ts";
import { API } from "./mount.ts";
import type { Operation } from "./operation.ts";

const HEADERS = {
  "cache-control": "no-cache",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "content-security-policy":
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
};

const STYLE = `:root { color-scheme: light dark; --line: light-dark(#dedde6, #2c3031); --soft: light-dark(#54564f, #b2b5ae); --accent: light-dark(#0b6e63, #4cc3b2); }
body { font: 15px/22px "IBM Plex Sans Variable", system-ui, sans-serif; margin: 0; display: grid; grid-template-columns: minmax(14rem, 18rem) minmax(0, 60rem); }
nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 16px; border-right: 1px solid var(--line); box-sizing: border-box; font-size: 13px; }
nav ul { list-style: none; margin: 0 0 12px; padding: 0; }
main { padding: 16px 32px 64px; }
h1 { font-size: 24px; line-height: 32px; } h2 { font-size: 18px; margin-top: 48px; } h3 { font-size: 15px; margin: 32px 0 4px; padding-top: 12px; border-top: 1px solid var(--line); }
a { color: var(--accent); } a:focus-visible { outline: 2px solid light-dark(#1f5fd0, #7fb2ff); outline-offset: 2px; }
code { font: 13px/18px "JetBrains Mono Variable", ui-monospace, monospace; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font-size: 13px; margin: 8px 0; } caption { text-align: left; font-weight: 600; }
th, td { text-align: left; vertical-align: top; padding: 4px 12px 4px 0; border-bottom: 1px solid var(--line); } th { font-weight: 500; color: var(--soft); }
.role { color: var(--soft); }
@media (max-width: 50rem) { body { display: block; } nav { position: static; height: auto; border: 0; } main { padding: 16px; } }
`;

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Text with `code` in it. */
function prose(text: string): string {
  return escaped(text).replace(/`([^`]+)`/g, "<code>$1</code>");
}

function typeOf(schema: Schema): string {
  if (schema.enum) return schema.enum.map((each) => JSON.stringify(each)).join(" | ");
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(" | ");
  if (schema.type === "array") return `${schema.items ? typeOf(schema.items) : "anything"}[]`;
  return schema.type === undefined ? "anything" : String(schema.type);
}

/** A line for each member, those of members below it. */
function rowsOf(schema: Schema, prefix = ""): string[] {
  const { properties = {}, required = [] } = schema;
  return Object.entries(properties).flatMap(([name, member]) => {
    const inner = member.items ?? member.anyOf?.find(({ properties }) => properties) ?? member;
    const path = `${prefix}${name}`;
    const notes = [
      member.description ?? "",
      member.default === undefined ? "" : `${JSON.stringify(member.default)} by default.`,
    ];
    const row = `<tr><td><code>${escaped(path)}</code></td><td>${escaped(typeOf(member))}</td><td>${required.includes(name) && member.default === undefined ? "yes" : ""}</td><td>${prose(notes.join(" ").trim())}</td></tr>`;
    return [row, ...(inner.properties ? rowsOf(inner, `${path}${member.items ? "[]" : ""}.`) : [])];
  });
}

function tableOf(caption: string, schema: z.ZodType | "stream" | undefined, io: "input" | "output"): string {
  if (schema === undefined) return "";
  if (schema === "stream") return `<p>${caption}: bytes, as they come.</p>`;
  const rows = rowsOf(schemaOf(schema, io));
  if (rows.length === 0) return io === "input" ? "" : `<p>${caption}: an object without anything in it.</p>`;
  return `<table><caption>${caption}</caption><thead><tr><th scope="col">name</th><th scope="col">type</th><th scope="col">always</th><th scope="col">meaning</th></tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

function sectionOf({
  id,
  method,
  path,
  summary,
  description,
  role,
  isWrite,
  command,
  query,
  body,
  answer,
}: Operation): string {
  const changes = isWrite
    ? "Changes something: it is audited, and a browser asks for the password."
    : "Changes nothing.";
  const places = (command?.arguments ?? []).map((each) => ` <${each}>`).join("");
  return `<h3 id="${escaped(id)}">${escaped(summary)}</h3>
<p><code>${method} ${escaped(API + path)}</code></p>
<p class="role">For the role ${role}. ${changes} <code>${escaped(id)}</code>${command ? ` In the shell: <code>parley ${escaped(command.name + places)}</code>` : ""}</p>
${description ? `<p>${prose(description)}</p>` : ""}
${tableOf("Query", query, "output").replaceAll("<td>yes</td>", "<td></td>")}${tableOf("Body", body, "input")}${tableOf("Answer", answer, "output")}`;
}

/** The page. */
export function referenceOf(operations: readonly Operation[]): string {
  const groups = Map.groupBy(operations, ({ id }) => id.split(".")[0] as string);
  const link = ({ id, summary }: Operation) => `<li><a href="#${escaped(id)}">${escaped(summary)}</a></li>`;
  const menu = [...groups].map(([name, all]) => `<p><b>${escaped(name)}</b></p><ul>${all.map(link).join("")}</ul>`);
  const parts = [...groups].map(
    ([name, all]) => `<section><h2>${escaped(name)}</h2>${all.map(sectionOf).join("\n")}</section>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Operator API</title><link rel="stylesheet" href="${API}/reference.css"></head>
<body><nav aria-label="Operations">${menu.join("\n")}</nav>
<main><h1>Operator API</h1>
<p>Version ${escaped(version)}. As a document for programs: <a href="${API}/openapi.json">openapi.json</a>. Every request has the header <code>Authorization: Bearer</code> with the access token of an operator. Times are milliseconds since 1970. A failure has <code>errcode</code> and <code>error</code>.</p>
${parts.join("\n")}
</main></body></html>
`;
}

/** The document, the page and its style. They say nothing of this installation, so anybody may read them. */
export function referenceRoutes(operations: readonly Operation[]): Route[] {
  const made = new Map<string, string>();
  const served = (name: string, type: string, make: () => string) =>
    route({
      method: "GET",
      path: `${API}/${name}`,
      access: "anyone",
      rate: "other",
      handle() {
        const payload = made.get(name) ?? make();
        made.set(name, payload);
        return new Answer({ headers: { ...HEADERS, "content-type": type }, payload });
      },
    });
  return [
    served("openapi.json", "application/json", () => openApiOf(operations)),
    served("reference", "text/html; charset=utf-8", () => referenceOf(operations)),
    served("reference.css", "text/css; charset=utf-8", () => STYLE),
  ];
}
