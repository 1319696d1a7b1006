/** An entry of the audit log as other systems take it. */
import { type AuditRow, shown } from "../entries.ts";

/** A line of JSON: what the operator API tells of the entry, and of which server it is. */
export function jsonLine(serverName: string, row: AuditRow): string {
  return JSON.stringify({ server: serverName, ...shown(row) });
}

/** "Log audit" (RFC 5424, table 1), and how much it matters (table 2). */
const AUDIT = 13;
const [WARNING, INFORMATIONAL] = [4, 6];

/**
 * One message of syslog (RFC 5424), its length before it (RFC 6587, octet counting, as RFC 5425 asks). What the entry says is its
 * JSON, in ASCII: so no mark of an encoding is needed, which some receivers take for text.
 */
export function syslogFrame(serverName: string, row: AuditRow): string {
  const severity = row.outcome === "done" || row.outcome === "begun" ? INFORMATIONAL : WARNING;
  const time = new Date(row.time_us / 1_000).toISOString();
  const head = [`<${AUDIT * 8 + severity}>1`, time, word(serverName, 255), "parley", "-", word(row.action, 32), "-"];
  const message = `${head.join(" ")} ${ascii(jsonLine(serverName, row))}`;
  return `${message.length} ${message}`;
}

/** A field of the head: printable ASCII without blanks. */
function word(text: string, most: number): string {
  return text.replaceAll(/[^\x21-\x7e]/g, "?").slice(0, most) || "-";
}

/** In JSON what is not ASCII stands in texts alone. */
function ascii(json: string): string {
  return json.replaceAll(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
