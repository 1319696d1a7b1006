/** People who use every role through one address without a pause, and try nothing twice: each request that fails is counted. */
import { setTimeout as wait } from "node:timers/promises";
import { inspect } from "node:util";
import type { Received } from "../../testkit/src/http.ts";
import type { Story } from "./executed-story.ts";

const CLIENT = "/_matrix/client/v3";
/** Between one request and the next of the same person: the machine has other things to do as well. */
const PAUSE_MS = 40;

export interface Load {
  /** The ids of the messages that were acknowledged, in their order. */
  sent: readonly string[];
  /** What was not answered with 200: the request, and what came instead. */
  failures: readonly string[];
  /** How many requests were answered with 200, by the kind of request. */
  answered: ReadonlyMap<string, number>;
  /** Resolves when so many more messages are acknowledged. */
  more(count: number): Promise<void>;
  stop(): Promise<void>;
}

export function startLoad({ alice, bob, room }: Story): Load {
  const sent: string[] = [];
  const failures: string[] = [];
  const answered = new Map<string, number>();
  const stopping = new AbortController();
  const count = async (what: string, asking: Promise<Received>) => {
    const answer = await asking.catch((thrown: unknown) => inspect(thrown));
    if (typeof answer === "object" && answer.status === 200) {
      answered.set(what, (answered.get(what) ?? 0) + 1);
      return answer;
    }
    const instead = typeof answer === "string" ? answer : `${answer.status} ${JSON.stringify(answer.body)}`;
    failures.push(`${new Date().toISOString()} ${what}: ${instead}`);
    return undefined;
  };
  const write = async () => {
    const body = { msgtype: "m.text", body: `message ${sent.length}` };
    const answer = await count("send", alice.ask("PUT", `${room.path}/send/m.room.message/load${++transaction}`, body));
    if (answer) sent.push(answer.body.event_id as string);
  };
  let since: string | undefined;
  const sync = async () => {
    const at = since === undefined ? "" : `&since=${since}`;
    const answer = await count("sync", bob.ask("GET", `${CLIENT}/sync?timeout=3000${at}`));
    if (answer) since = answer.body.next_batch as string;
  };
  let turn = 0;
  const look = async () => {
    const asks: [string, () => Promise<Received>][] = [
      ["keys", () => bob.ask("POST", `${CLIENT}/keys/query`, { device_keys: { [alice.userId]: [] } })],
      ["devices", () => bob.ask("GET", `${CLIENT}/devices`)],
      ["messages", () => bob.ask("GET", `${room.path}/messages?dir=b&limit=5`)],
      ["receipt", () => bob.ask("POST", `${room.path}/receipt/m.read/${encodeURIComponent(sent.at(-1) ?? "")}`, {})],
      ["typing", () => bob.ask("PUT", `${room.path}/typing/${encodeURIComponent(bob.userId)}`, { typing: false })],
      ["upload", () => bob.ask("POST", "/_matrix/media/v3/upload", Buffer.from(`file ${turn}`))],
      ["profile", () => bob.ask("GET", `${CLIENT}/profile/${encodeURIComponent(alice.userId)}`)],
    ];
    const [what, asking] = asks[turn++ % asks.length] as (typeof asks)[number];
    if (sent.length > 0) await count(what, asking());
  };
  const again = async (action: () => Promise<void>) => {
    while (!stopping.signal.aborted) {
      await action();
      await wait(PAUSE_MS);
    }
  };
  const running = Promise.all([write, sync, look].map(again));
  return {
    sent,
    failures,
    answered,
    async more(count) {
      const goal = sent.length + count;
      while (sent.length < goal && failures.length === 0) await wait(20);
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

let transaction = 0;
