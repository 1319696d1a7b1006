// Asks routes by their patterns, many at a time, for tests that go through all of them.

import { request } from "./http.ts";
import type { MountedRoute } from "./mounted.ts";

/** What parameters of paths stand for, by name; "1" where there is nothing. */
export type Values = Readonly<Record<string, string>>;

export type RouteAsked = { url: string; token?: string; values?: Values };

/** `text` is the whole body: for what it must not hold. */
export type RouteAnswer = { told: string; status: number; text: string };

/** As tests show a route: "PUT /_matrix/client/v3/devices/:deviceId". */
export const nameOf = ({ method, path }: { method: string; path: string }): string => `${method} ${path}`;

/** A body in which every route finds what it must have: what makes no sense there is not looked at. */
const bodyFor = ({ user_id, room_id, event_id }: Record<"user_id" | "room_id" | "event_id", string>) => ({
  user_id,
  room_id,
  event_id,
  "m.fully_read": event_id,
  reason: "none",
  new_version: "12",
  new_password: "a password that is new",
  visibility: "public",
  typing: false,
  presence: "online",
  displayname: "x",
  search_term: "x",
  next_batch: "0",
  algorithm: "m.megolm_backup.v1.curve25519-aes-sha2",
  auth_data: { public_key: "x", signatures: {} },
});

/** Nobody waits for anything here, and what must be in a query is. */
const QUERY = "timeout=0&dir=f&ts=0&version=1";

/** What uploads that go on have to say: docs/protocol/uploads.md. */
const UPLOADS = { "tus-resumable": "1.0.0", "upload-offset": "0" };

export async function askRoute(route: MountedRoute, { url, token, values = {} }: RouteAsked): Promise<RouteAnswer> {
  const { method } = route;
  const value = (name: string) => values[name] ?? "1";
  const path = route.path.replaceAll(/:([A-Za-z]+)/g, (_all, name: string) => encodeURIComponent(value(name)));
  const filled = bodyFor({ user_id: value("userId"), room_id: value("roomId"), event_id: value("eventId") });
  const body = method === "GET" ? undefined : filled;
  const headers = method === "PATCH" ? { ...UPLOADS, "content-type": "application/offset+octet-stream" } : UPLOADS;
  const sent = { headers, ...(token === undefined ? {} : { token }), body };
  const answer = await request(url, method, `${path}?${QUERY}`, sent);
  const { errcode = "" } = answer.body;
  const text = Buffer.isBuffer(answer.body) ? answer.body.toString() : JSON.stringify(answer.body);
  return { told: `${answer.status} ${errcode}`.trim(), status: answer.status, text };
}

const atOnce = 8;

/** What each route answered, by its name, in the order of the routes. */
export async function askRoutes(
  routes: readonly MountedRoute[],
  asked: RouteAsked,
): Promise<[name: string, answer: RouteAnswer][]> {
  const answers: [string, RouteAnswer][] = [];
  for (let first = 0; first < routes.length; first += atOnce) {
    const together = routes.slice(first, first + atOnce);
    const told = await Promise.all(together.map((route) => askRoute(route, asked)));
    for (const [index, route] of together.entries()) answers.push([nameOf(route), told[index] as RouteAnswer]);
  }
  return answers;
}
