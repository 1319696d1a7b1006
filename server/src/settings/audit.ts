/** Where the audit log is streamed to. See console/audit/stream/. */
import type { Setting } from "./setting.ts";

export const auditSettings: readonly Setting[] = [
  {
    name: "PARLEY_AUDIT_STREAM",
    secret: true,
    doc: "Where the audit log is streamed to: https://siem.example.org/parley for JSON lines, or syslog+tls://siem.example.org:6514. By default nowhere.",
  },
  {
    name: "PARLEY_AUDIT_STREAM_AUTHORIZATION",
    secret: true,
    doc: "The Authorization header of PARLEY_AUDIT_STREAM over HTTPS, such as Bearer and a token.",
  },
  {
    name: "PARLEY_AUDIT_STREAM_CA",
    secret: true,
    doc: "The certificate in PEM that signed that of PARLEY_AUDIT_STREAM, or file:// and a file with it. By default those that Node.js knows.",
  },
];
