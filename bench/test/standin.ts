import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createRoomsModel, type RoomsModel, type SyncFaults } from "./standin-rooms.ts";

// A small Matrix server in memory, that keeps its own account of what it acknowledged and handed
// out: the harness's counts are checked against that. It can misbehave on demand.

export interface Faults extends SyncFaults {
  /** Refuses so many registrations first, with 429 and this delay. */
  refuseRegistrations?: { count: number; delay_ms: number; by: "header" | "body" };
  /** Wants this token at registration, before the dummy stage. */
  registrationToken?: string;
  /** Fails every so-manieth send with a 500 and forgets it. */
  failEverySend?: number;
}

export interface Standin extends AsyncDisposable {
  origin: string;
  model: RoomsModel;
  /** Registrations that were refused with 429. */
  refused: () => number;
}

export async function startStandin(faults: Faults = {}, port = 0): Promise<Standin> {
  const state: State = { model: createRoomsModel(faults), faults, users: new Map(), refused: 0, sends: 0 };
  const server = createServer((request, response) => {
    answer(state, request, response).catch((error: unknown) => {
      if (!response.headersSent) reply(response, { status: 500, body: { errcode: "M_UNKNOWN", error: String(error) } });
    });
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${address.port}`,
    model: state.model,
    refused: () => state.refused,
    [Symbol.asyncDispose]: () => close(server),
  };
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
}

interface State {
  model: RoomsModel;
  faults: Faults;
  /** User ids by access token. */
  users: Map<string, string>;
  refused: number;
  sends: number;
}

interface Reply {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
}

interface Call {
  state: State;
  userId: string;
  path: string[];
  query: URLSearchParams;
  body: Record<string, unknown>;
}

type Handler = (call: Call) => Reply | Promise<Reply>;

const ok = (body: unknown): Reply => ({ status: 200, body });

const HANDLERS: [method: string, pattern: RegExp, handler: Handler][] = [
  ["GET", /^client\/versions$/, () => ok({ versions: ["v1.11"], server: { name: "Standin", version: "1.2.3" } })],
  ["POST", /^client\/v3\/register$/, register],
  ["POST", /^client\/v3\/login$/, logIn],
  ["POST", /^client\/v3\/createRoom$/, ({ state, userId }) => ok({ room_id: state.model.create(userId) })],
  ["POST", /^client\/v3\/join\//, join],
  ["PUT", /^client\/v3\/rooms\/[^/]+\/send\//, send],
  ["POST", /^client\/v3\/user\/[^/]+\/filter$/, ({ body, state }) => ok({ filter_id: state.model.storeFilter(body) })],
  ["GET", /^client\/v3\/sync$/, sync],
];

async function answer(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://standin");
  const route = url.pathname.replace(/^\/_matrix\//, "");
  const handler = HANDLERS.find(([method, pattern]) => method === request.method && pattern.test(route))?.[2];
  if (handler === undefined) return reply(response, { status: 404, body: { errcode: "M_UNRECOGNIZED" } });
  const token = request.headers.authorization?.replace("Bearer ", "") ?? "";
  const text = (await request.toArray()).join("");
  const call: Call = {
    state,
    userId: state.users.get(token) ?? "",
    path: route.split("/").map(decodeURIComponent),
    query: url.searchParams,
    body: text === "" ? {} : JSON.parse(text),
  };
  const open = /versions|register|login/.test(route);
  if (!open && call.userId === "") return reply(response, { status: 401, body: { errcode: "M_UNKNOWN_TOKEN" } });
  reply(response, await handler(call));
}

function reply(response: ServerResponse, { status, body, headers = {} }: Reply): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

function register({ state, body }: Call): Reply {
  const refusal = state.faults.refuseRegistrations;
  if (refusal !== undefined && state.refused < refusal.count) {
    state.refused++;
    return refusal.by === "header"
      ? { status: 429, body: {}, headers: { "retry-after": String(refusal.delay_ms / 1000) } }
      : { status: 429, body: { retry_after_ms: refusal.delay_ms } };
  }
  const auth = body["auth"] as { type: string; token?: string; session?: string } | undefined;
  const wanted = state.faults.registrationToken;
  const stages = wanted === undefined ? ["m.login.dummy"] : ["m.login.registration_token", "m.login.dummy"];
  // The session's name carries the stages that it has completed.
  const completed = auth?.session?.split(" ").filter(Boolean) ?? [];
  const right = auth?.type === "m.login.registration_token" ? auth.token === wanted : auth !== undefined;
  if (auth !== undefined && right) completed.push(auth.type);
  if (stages.some((stage) => !completed.includes(stage))) {
    return { status: 401, body: { session: completed.join(" "), flows: [{ stages }], completed } };
  }
  return signIn(state, String(body["username"]));
}

function logIn({ state, body }: Call): Reply {
  if (body["password"] !== "right") return { status: 403, body: { errcode: "M_FORBIDDEN" } };
  return signIn(state, (body["identifier"] as { user: string }).user);
}

function signIn(state: State, username: string): Reply {
  const userId = username.startsWith("@") ? username : `@${username}:standin`;
  const token = `token-${state.users.size}`;
  state.users.set(token, userId);
  return ok({ user_id: userId, access_token: token, device_id: "D" });
}

function join({ state, userId, path }: Call): Reply {
  const roomId = path[3] ?? "";
  return state.model.join(userId, roomId) ? ok({ room_id: roomId }) : { status: 404, body: { errcode: "M_NOT_FOUND" } };
}

function send({ state, userId, path, body }: Call): Reply {
  const every = state.faults.failEverySend;
  state.sends++;
  if (every !== undefined && state.sends % every === 0) return { status: 500, body: { errcode: "M_UNKNOWN" } };
  const [, , , roomId = "", , , transactionId = ""] = path;
  return ok({ event_id: state.model.send({ userId, roomId, transactionId, text: String(body["body"]) }) });
}

async function sync({ state, userId, query }: Call): Promise<Reply> {
  const since = query.get("since");
  const limit = state.model.filterLimit(query.get("filter"));
  const timeout_ms = Number(query.get("timeout") ?? 0);
  return ok(await state.model.sync(userId, { since, limit, timeout_ms }));
}
