const DAY_MS = 86_400_000;

// Twenty-four hours everywhere: short enough for the gutter, and read the same in every language.
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: "long" });
const dayMonth = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "long" });
const dayMonthYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

/** The time of day, as `09:41`. */
export function timeOfDay(at_ms: number): string {
  return clock.format(at_ms);
}

/** Day and time to the second, for the title of a time. */
export function fullTime(at_ms: number): string {
  return full.format(at_ms);
}

/** The calendar day in the browser's time zone; equal for two times of one day. */
export function dayKey(at_ms: number): string {
  const date = new Date(at_ms);
  return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;
}

/** The day as a separator names it: Today, Yesterday, a weekday of the last week, or a date. */
export function dayLabel(at_ms: number, now_ms: number): string {
  const days = Math.round((startOfDay(now_ms) - startOfDay(at_ms)) / DAY_MS);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  if (days > 1 && days < 7) return weekday.format(at_ms);
  const sameYear = new Date(at_ms).getFullYear() === new Date(now_ms).getFullYear();
  return (sameYear ? dayMonth : dayMonthYear).format(at_ms);
}

/** How long ago, coarsely: `just now`, `2 min ago`, `3 h ago`, then the day. */
export function ago(at_ms: number, now_ms: number): string {
  const minutes = Math.floor((now_ms - at_ms) / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ago`;
  return dayLabel(at_ms, now_ms);
}

/** A length of media as `1:07`. */
export function duration(length_ms: number): string {
  const seconds = Math.round(length_ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function startOfDay(at_ms: number): number {
  return new Date(at_ms).setHours(0, 0, 0, 0);
}
