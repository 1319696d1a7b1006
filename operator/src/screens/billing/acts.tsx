import { call, pathOf } from "../../api.ts";
import type { Act } from "../../parts/acts.ts";
import { count } from "../../parts/words.ts";
import type { BillingEvent, DeadLetter } from "./shapes.ts";

interface Replayed {
  deliveries: number;
}

const saysReplayed = ({ deliveries }: Replayed) => `${count(deliveries, "handler run")} waiting.`;

const NOTHING_TWICE =
  "What was applied is not applied again: a run that finds everything as it should be changes nothing.";

export function replay(events: readonly BillingEvent[]): Act<Replayed> {
  return {
    title: `Replay ${count(events.length, "event")}?`,
    consequence: `Every handler runs again. ${NOTHING_TWICE}`,
    label: "Replay",
    async run() {
      let deliveries = 0;
      for (const { event_id } of events)
        deliveries += (await call<Replayed>(pathOf`/billing/events/${event_id}/replay`, { method: "POST" })).deliveries;
      return { deliveries };
    },
    says: saysReplayed,
  };
}

export function replayRange(): Act<Replayed> {
  return {
    title: "Replay the events of a time?",
    consequence: `Every handler runs again for all that were made from the first day on and before the second one. ${NOTHING_TWICE}`,
    label: "Replay",
    asksReason: true,
    fields: [
      { name: "from", label: "From", kind: "date" },
      { name: "to", label: "Before", kind: "date" },
    ],
    run: ({ from = "", to = "", reason }) =>
      call("/billing/events/replay", {
        method: "POST",
        body: { from_ts: Date.parse(from), to_ts: Date.parse(to), reason },
      }),
    says: saysReplayed,
  };
}

export function findMissed(): Act {
  return {
    title: "Look for events that never arrived?",
    consequence: "The next worker reads Stripe's list at once, back to the day that is given. Stripe keeps 30 days.",
    label: "Look",
    fields: [{ name: "since", label: "Since", kind: "date", isOptional: true }],
    run: ({ since = "" }) =>
      call("/billing/stream/read", { method: "POST", body: since === "" ? {} : { since_ts: Date.parse(since) } }),
    done: "The list is read within seconds.",
  };
}

export function openPortal(): Act<{ url: string }> {
  return {
    title: "Open Stripe's customer portal?",
    consequence: "There the payment method and the plan are changed. The link is for you, and works for a short time.",
    label: "Make the link",
    run: () => call("/billing/portal", { method: "POST" }),
    shows: ({ url }) => (
      <p>
        <a href={url} target="_blank" rel="noreferrer">
          Stripe&apos;s portal
        </a>
      </p>
    ),
  };
}

export function retry(letters: readonly DeadLetter[]): Act {
  return {
    title: `Try ${count(letters.length, "event")} again?`,
    consequence: "Where the cause is still there they come back here.",
    label: "Try again",
    run: () => forEach(letters, "retry", undefined),
    done: `${count(letters.length, "event")} ${letters.length === 1 ? "is" : "are"} tried again.`,
  };
}

export function discard(letters: readonly DeadLetter[]): Act {
  return {
    title: `Leave ${count(letters.length, "event")} unhandled?`,
    consequence: "What they told is not shown, until a later event tells it or they are replayed.",
    label: "Leave",
    isDangerous: true,
    asksReason: true,
    run: ({ reason }) => forEach(letters, "discard", { reason }),
    done: `Left ${count(letters.length, "event")}.`,
  };
}

async function forEach(letters: readonly DeadLetter[], act: "retry" | "discard", body: unknown): Promise<void> {
  for (const { event_id, handler } of letters)
    await call(pathOf`/billing/dead-letters/${event_id}/${handler}/${act}`, { method: "POST", body });
}
