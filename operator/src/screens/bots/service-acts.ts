import { call, pathOf } from "../../api.ts";
import type { Act } from "../../parts/acts.ts";
import { grouped } from "../../parts/words.ts";
import type { Service } from "./shapes.ts";

interface Pinged {
  ok: boolean;
  duration_ms: number;
  error: string | null;
}

export function pingService({ id, url }: Service): Act<Pinged> {
  return {
    title: `Ping ${id}?`,
    consequence: `It is asked at ${url} whether it is there and takes this server's token. Where it is, it is sent what waits for it.`,
    label: "Ping",
    run: () => call(pathOf`/appservices/${id}/ping`, { method: "POST" }),
    says: ({ ok, duration_ms, error }) =>
      ok ? `${id} answered within ${grouped(duration_ms)} ms.` : `${id} did not answer well: ${error}`,
  };
}

export function sendNow({ id, failures, backlog }: Service): Act {
  return {
    title: `Send to ${id} now?`,
    consequence:
      failures > 0
        ? `What waits for it is sent within five seconds, and not only when the pause after ${grouped(failures)} failures is over.`
        : `It has not failed: what is for it in ${grouped(backlog ?? 0)} entries of the log is on its way already.`,
    label: "Send now",
    asksReason: true,
    run: ({ reason }) => call(pathOf`/appservices/${id}/retry`, { method: "POST", body: { reason } }),
    done: `${id} is sent what waits for it.`,
  };
}
