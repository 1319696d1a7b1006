/** Names and ids in events are whatever somebody sent: PostgreSQL's text has neither NUL nor half of a surrogate pair. */
export function clean(value: string): string {
  return value.replaceAll("\0", "").toWellFormed();
}
