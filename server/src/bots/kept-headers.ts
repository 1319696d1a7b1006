/**
 * What the log of a webhook keeps of a delivery's headers: those by which a person finds out who posted and what it was, by their exact
 * names. All others are counted and no more: any of them may be a secret, whatever it is called.
 */
import type { Request } from "../http.ts";
import { limits } from "../limits.ts";
import type { Delivery } from "./webhooks.ts";

export const keptNames: ReadonlySet<string> = new Set([
  "content-length",
  "content-type",
  "idempotency-key",
  "user-agent",
  // One request on its way through several programs.
  "traceparent",
  "x-correlation-id",
  "x-request-id",
  // Which event of the other software it was, and which delivery of that.
  "ce-id",
  "ce-source",
  "ce-type",
  "circleci-event-type",
  "sentry-hook-resource",
  "webhook-id",
  "x-atlassian-webhook-identifier",
  "x-buildkite-event",
  "x-event-key",
  "x-forgejo-delivery",
  "x-forgejo-event",
  "x-gitea-delivery",
  "x-gitea-event",
  "x-github-delivery",
  "x-github-event",
  "x-github-hook-id",
  "x-gitlab-event",
  "x-gitlab-event-uuid",
  "x-gitlab-instance",
  "x-gitlab-webhook-uuid",
  "x-hook-uuid",
]);

/** What would move the cursor of a terminal or turn the words around it. */
const UNREADABLE = /[\p{Cc}\p{Cf}]/gu;
const MOST = limits.webhookHeader_characters;

export function keptOf(headers: Request<unknown, unknown, undefined>["headers"]) {
  const names = Object.keys(headers);
  const kept = names.filter((name) => keptNames.has(name));
  return {
    headers: Object.fromEntries(kept.map((name) => [name, readable(String(headers[name]))])),
    headers_left_out: names.length - kept.length,
  } satisfies Partial<Delivery>;
}

/** In its place and its length: whoever reads it sees that something was there. What is too long ends with an ellipsis. */
function readable(value: string): string {
  const text = value.replaceAll(UNREADABLE, "\uFFFD");
  return text.length > MOST ? `${text.slice(0, MOST - 1)}…` : text;
}
