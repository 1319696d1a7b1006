/** Whether clients find the server at its public address, and whether what is in front lets them wait. */
import { asError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { Check, Finding, Patient } from "./finding.ts";

const PATIENCE_MS = 10_000;
/** A little longer than any wait that a client asks for. */
const IDLE_MS = 70_000;
const STREAM = "/_parley/client/v1/stream";

const found = (state: Finding["state"], says: string, fix?: string): Finding => ({
  check: "public address",
  state,
  says,
  ...(fix === undefined ? {} : { fix }),
});

export const publicUrl: Check = {
  name: "public address",
  async look(patient) {
    const { publicUrl: url } = patient.config;
    if (url === undefined) return [found("ok", "PARLEY_PUBLIC_URL is not set: the server is for this machine.")];
    const wellKnown = await lookAtWellKnown(url);
    if (wellKnown.state !== "ok") return [wellKnown];
    const stream = await lookAtStream(url, patient);
    return [wellKnown, stream, ...(patient.isSlow ? await lookAtWaits(url, patient) : [])];
  },
};

const REACH =
  "Check the name's address, the ingress or proxy in front, and that a process with the role auth runs behind it.";

const HERE = "which may be as it should: each machine and each pod calls itself so";
const LOOK =
  "Look on the machine where the browser is, with curl. For people on other machines set PARLEY_PUBLIC_URL to an address that they reach.";

function isLocalhost(url: string): boolean {
  return /(^|\.)localhost$/.test(new URL(url).hostname);
}

async function lookAtWellKnown(url: string): Promise<Finding> {
  const asked = `${url}/.well-known/matrix/client`;
  let text;
  try {
    const answer = await fetch(asked, { signal: AbortSignal.timeout(PATIENCE_MS), redirect: "manual" });
    text = await answer.text();
    if (answer.status !== 200) return found("failure", `${asked} is answered with ${answer.status}.`, REACH);
    const { "m.homeserver": { base_url = "" } = {} } = JSON.parse(text) as { "m.homeserver"?: { base_url?: string } };
    if (base_url.replace(/\/+$/, "") === url) return found("ok", `Clients find the server at ${url}.`);
    return found(
      "failure",
      `${asked} sends clients to "${base_url}".`,
      "Set the same PARLEY_PUBLIC_URL for all processes, and let the proxy pass this path on to Parley.",
    );
  } catch (thrown) {
    const { message, cause } = asError(thrown);
    if (text === undefined && isLocalhost(url))
      return found("warning", `${asked} can not be read here, ${HERE}.`, LOOK);
    const why =
      text === undefined ? [message, asError(cause ?? "").message].filter(Boolean).join(": ") : "it is no JSON";
    return found("failure", `${asked} can not be read: ${why}.`, REACH);
  }
}

/** A WebSocket is opened and closed again. */
async function lookAtStream(url: string, { seams }: Patient): Promise<Finding> {
  const { opened, why } = await openSocket(url, { seams, idle_ms: 0 });
  return opened
    ? found("ok", "WebSockets reach the server.")
    : found(
        "failure",
        `A WebSocket can not be opened at ${url}${STREAM}: ${why}.`,
        "Let the proxy pass the headers Upgrade and Connection on (nginx: proxy_set_header), and route the path to a gateway.",
      );
}

const TIMEOUTS =
  "Raise the read time-out of whatever is in front to 90 s or more (nginx: proxy_read_timeout and proxy_send_timeout, HAProxy: timeout server and timeout tunnel).";

async function lookAtWaits(url: string, { seams, token }: Patient): Promise<Finding[]> {
  // Without a sign-in the server itself ends the connection.
  const idle_ms = token === undefined ? limits.streamSignIn_ms - 1_000 : IDLE_MS;
  const { cutAfter_ms, why } = await openSocket(url, { seams, idle_ms, token });
  const socket =
    cutAfter_ms === undefined
      ? found("ok", `An idle WebSocket lives for ${idle_ms / 1_000} s at least.`)
      : found("failure", `An idle WebSocket is cut after ${Math.round(cutAfter_ms / 1_000)} s (${why}).`, TIMEOUTS);
  if (token === undefined)
    return [
      socket,
      found(
        "warning",
        "Longer waits were not looked at: nobody is signed in.",
        "Give --token-file with an access token.",
      ),
    ];
  return [socket, await lookAtLongPoll(url, token)];
}

/** A sync that nothing happens for is answered when its time is over, and not before by somebody else. */
async function lookAtLongPoll(url: string, token: string): Promise<Finding> {
  const headers = { authorization: `Bearer ${token}` };
  const ask = (query: string, patience_ms: number) =>
    fetch(`${url}/_matrix/client/v3/sync?${query}`, { headers, signal: AbortSignal.timeout(patience_ms) });
  try {
    const filter = encodeURIComponent('{"room":{"rooms":[]},"presence":{"types":[]},"account_data":{"types":[]}}');
    const first = await ask(`filter=${filter}`, PATIENCE_MS);
    if (first.status !== 200)
      return found("failure", `The first sync is answered with ${first.status}.`, "Give a valid access token.");
    const { next_batch } = (await first.json()) as { next_batch: string };
    const second = await ask(`since=${next_batch}&timeout=${limits.syncTimeout_ms}&filter=${filter}`, IDLE_MS);
    return second.status === 200
      ? found("ok", "A sync may wait for 60 s.")
      : found("failure", `A sync that waits is answered with ${second.status} by something in front.`, TIMEOUTS);
  } catch (thrown) {
    return found("failure", `A sync that waits is cut: ${asError(thrown).message}.`, TIMEOUTS);
  }
}

interface Opened {
  opened: boolean;
  /** Where it was cut before its time. */
  cutAfter_ms?: number;
  why: string;
}

/** Opens a WebSocket, signs in where there is a token, and keeps it for a time. */
function openSocket(url: string, { seams, idle_ms, token }: Opening): Promise<Opened> {
  const socket = new WebSocket(`${url.replace(/^http/, "ws")}${STREAM}`);
  const begun_ms = seams.monotonic_ms();
  return new Promise((resolve) => {
    let opened = false;
    const finish = (result: Opened) => {
      timer.cancel();
      resolve(result);
      socket.close();
    };
    const timer = seams.after(Math.max(idle_ms, PATIENCE_MS), () => finish({ opened, why: opened ? "" : "no answer" }));
    socket.addEventListener("open", () => {
      opened = true;
      if (token !== undefined) socket.send(JSON.stringify({ type: "sign_in", access_token: token }));
      if (idle_ms > 0) seams.after(idle_ms, () => finish({ opened, why: "" }));
      else finish({ opened, why: "" });
    });
    socket.addEventListener("close", ({ code }) => {
      const lived_ms = seams.monotonic_ms() - begun_ms;
      finish({ opened, ...(opened ? { cutAfter_ms: lived_ms } : {}), why: `code ${code}` });
    });
  });
}

interface Opening {
  seams: Patient["seams"];
  idle_ms: number;
  token?: string | undefined;
}
