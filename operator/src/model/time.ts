/** Times as an operator reads them: short and aligned in tables, exact where the pointer rests. */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const dayOfYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const exactly = new Intl.DateTimeFormat(undefined, {
  dateStyle: "medium",
  timeStyle: "medium",
  hourCycle: "h23",
});

/** `14:02`. */
export function timeOfDay(at_ms: number): string {
  return clock.format(at_ms);
}

/** The time of day, and at midnight the day that begins: for the axis of a chart. */
export function timeOrDay(at_ms: number): string {
  const at = new Date(at_ms);
  return at.getHours() === 0 && at.getMinutes() === 0 ? day.format(at) : clock.format(at);
}

/** Day and time to the second. */
export function exactTime(at_ms: number): string {
  return exactly.format(at_ms);
}

/** How long ago: `now`, `4 min`, `3 h`, `12 d`, then the day. */
export function since(at_ms: number, now_ms: number): string {
  const passed_ms = now_ms - at_ms;
  if (passed_ms < MINUTE_MS) return "now";
  if (passed_ms < HOUR_MS) return `${Math.floor(passed_ms / MINUTE_MS)} min`;
  if (passed_ms < DAY_MS) return `${Math.floor(passed_ms / HOUR_MS)} h`;
  if (passed_ms < 30 * DAY_MS) return `${Math.floor(passed_ms / DAY_MS)} d`;
  const sameYear = new Date(at_ms).getFullYear() === new Date(now_ms).getFullYear();
  return (sameYear ? day : dayOfYear).format(at_ms);
}

/** A length of time: `850 ms`, `12 s`, `4 min`, `3 h`, `12 d`. */
export function lengthOf(length_ms: number): string {
  if (length_ms < 1_000) return `${Math.round(length_ms)} ms`;
  if (length_ms < MINUTE_MS) return `${Math.round(length_ms / 1_000)} s`;
  if (length_ms < HOUR_MS) return `${Math.round(length_ms / MINUTE_MS)} min`;
  if (length_ms < 2 * DAY_MS) return `${Math.round(length_ms / HOUR_MS)} h`;
  return `${Math.round(length_ms / DAY_MS)} d`;
}
