/** One request to one process, and what became of it. */
import { Agent, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { Agent as SecureAgent } from "node:https";
import type { Socket } from "node:net";
import { pipeline } from "node:stream";
import { limits } from "../limits.ts";
import type { Seams } from "../seams.ts";
import type { Target } from "./targets.ts";

/** Connections that are kept; one that nobody used for a while is closed from here, before its other end does. */
export interface Agents {
  plain: Agent;
  secure: SecureAgent;
}

export function openAgents(): Agents {
  const options = { keepAlive: true, timeout: limits.upstreamIdle_ms, maxFreeSockets: 256 };
  return { plain: new Agent(options), secure: new SecureAgent(options) };
}

export interface Asking {
  method: string;
  /** With its query. */
  path: string;
  headers: IncomingHttpHeaders;
  /** Bytes can be sent again; a stream is not touched before there is a connection. */
  body: Buffer | IncomingMessage;
  isRepeatable: boolean;
}

/** The process did not answer. `isSent` says whether it may have seen the request. */
export class Unanswered extends Error {
  readonly isSent: boolean;

  constructor(cause: Error, isSent: boolean) {
    super(cause.message, { cause });
    this.isSent = isSent;
  }
}

export interface Attempt {
  /** The answer with its body still to come; rejects with Unanswered. */
  answer: Promise<IncomingMessage>;
  /** For a client that has gone away. */
  abort(): void;
}

interface Means {
  agents: Agents;
  seams: Seams;
  /** For how long the other end may say nothing. */
  silence_ms?: number;
}

/** Asks the target. */
export function attempt(target: Target, asking: Asking, means: Means): Attempt {
  const { agents, seams, silence_ms = limits.upstreamSilence_ms } = means;
  const { method, path, headers, body } = asking;
  const agent = target.name.startsWith("https:") ? agents.secure : agents.plain;
  const request = target.request({ ...target.at, method, path, headers, agent, setHost: false });
  let isSent = false;
  let heard: IncomingMessage | undefined;
  const begin = () => {
    connecting.cancel();
    isSent = true;
    // While nobody takes what came, it is not the other end that is silent.
    breakOffAt(silence_ms, { request, isHeld: () => heard?.isPaused() ?? false, name: target.name });
    if (Buffer.isBuffer(body)) request.end(body);
    else pipeline(body, request, () => {});
  };
  const connecting = seams.after(limits.upstreamConnect_ms, () =>
    request.destroy(new Error(`${target.name} took too long to connect`)),
  );
  whenConnected(request, target, begin);
  if (asking.isRepeatable) target.repeatable.add(request);
  request.once("close", () => target.repeatable.delete(request));
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    request.once("response", (incoming) => {
      target.repeatable.delete(request);
      heard = incoming;
      resolve(incoming);
    });
    request.on("error", (error) => {
      connecting.cancel();
      reject(new Unanswered(error, isSent));
    });
  });
  return { answer, abort: () => request.destroy(new Error("the client has gone away")) };
}

interface Listening {
  request: ClientRequest;
  isHeld(): boolean;
  name: string;
}

/** Breaks the request off when its socket was silent for so long, unless it is held then. A request's own time-out comes only once. */
function breakOffAt(silence_ms: number, { request, isHeld, name }: Listening): void {
  const socket = request.socket as Socket;
  const silent = () => {
    if (isHeld()) socket.setTimeout(silence_ms);
    else request.destroy(new Error(`${name} was silent`));
  };
  socket.setTimeout(silence_ms).on("timeout", silent);
  request.once("close", () => socket.off("timeout", silent));
}

function whenConnected(request: ClientRequest, target: Target, begin: () => void): void {
  request.once("socket", (socket) => {
    if (!socket.connecting) begin();
    else socket.once(target.name.startsWith("https:") ? "secureConnect" : "connect", begin);
  });
}
