import { Tag } from "../../../web/src/ui/Tag.tsx";

type Tone = "neutral" | "ok" | "warn" | "danger";

const TONES: Readonly<Record<string, Tone>> = {
  suspended: "warn",
  read_only: "warn",
  deactivated: "danger",
  blocked: "danger",
  begun: "warn",
  failed: "danger",
  failing: "danger",
  denied: "danger",
  dead: "danger",
  unpaid: "danger",
  past_due: "warn",
  warn: "warn",
  running: "warn",
  unverified: "warn",
  verified: "ok",
};

/** A state as the API calls it, in a word. */
export function StatusTag({ state }: { state: string }) {
  return <Tag tone={TONES[state] ?? "neutral"}>{state.replaceAll("_", " ")}</Tag>;
}
