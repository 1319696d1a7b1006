/** What of an event is searched for. Specification: client-server-api, "Server Side Search". */

type Content = Record<string, unknown>;

/** The keys of the specification, and the type of event that each is of. */
export const KEYS = {
  "content.body": "m.room.message",
  "content.name": "m.room.name",
  "content.topic": "m.room.topic",
} as const;

/** The text of an event of one of these types; "" where it has none, which is what a redaction leaves. */
export function textOf(type: string, content: Content): string {
  if (type === "m.room.message") return text(content["body"]);
  if (type === "m.room.name") return text(content["name"]);
  return [text(content["topic"]), richTopicOf(content)].filter((each) => each !== "").join("\n");
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** The plain text among the representations of `m.topic`, where it says something else. */
function richTopicOf(content: Content): string {
  const rich = (content["m.topic"] as Content | null | undefined)?.["m.text"];
  if (!Array.isArray(rich)) return "";
  const plain = (rich as (Content | null)[]).find((each) => (each?.["mimetype"] ?? "text/plain") === "text/plain");
  const body = text(plain?.["body"]);
  return body === content["topic"] ? "" : body;
}
