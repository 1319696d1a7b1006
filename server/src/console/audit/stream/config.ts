/** Where the audit log is streamed to, as the settings say it. */
import { type Address, isInFile, isReference, valueOf } from "../../../secrets/address.ts";
import { type Env, refuse, secret } from "../../../settings/read.ts";

const NAME = "PARLEY_AUDIT_STREAM";
const FIX = "set it to https://siem.example.org/parley for JSON lines, or to syslog+tls://siem.example.org:6514.";

export interface AuditStream {
  /** PARLEY_AUDIT_STREAM. */
  url: Address;
  /** PARLEY_AUDIT_STREAM_AUTHORIZATION. */
  authorization: Address | undefined;
  /** PARLEY_AUDIT_STREAM_CA. */
  ca: Address | undefined;
}

/** Undefined where none is wanted. Throws StartError where one of the settings is wrong. */
export function readAuditStream(env: Env): AuditStream | undefined {
  const url = readRight(env, NAME, { is: isRight, fix: FIX });
  const authorization = readRight(env, "PARLEY_AUDIT_STREAM_AUTHORIZATION", {
    is: (value) => /^[\x20-\x7e]+$/.test(value),
    fix: "set it to one line of ASCII, such as Bearer and a token.",
  });
  const ca = readRight(env, "PARLEY_AUDIT_STREAM_CA", {
    is: (value) => value.includes("-----BEGIN CERTIFICATE-----"),
    fix: "set it to a certificate in PEM, or to file:// and a file with it.",
  });
  return url === undefined ? undefined : { url, authorization, ca };
}

/** A value is looked at now, so that a start fails and not the first entry; what a file or a reference says may change. */
function readRight(env: Env, name: string, { is, fix }: { is(value: string): boolean; fix: string }) {
  const address = secret(env, name);
  if (address !== undefined && !isInFile(address) && !isReference(address) && !is(address)) refuse(name, "…", fix);
  return address;
}

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|\[::1\]|localhost)$/;

/** What operators did goes over no network for everybody to read. */
function isRight(text: string): boolean {
  const url = URL.parse(text);
  if (!url || url.hostname === "" || url.username !== "" || url.password !== "") return false;
  return ["https:", "syslog+tls:"].includes(url.protocol) || (url.protocol === "http:" && LOOPBACK.test(url.hostname));
}

/** Where it goes at this moment. Throws StartError where a file or a reference says nothing that is right. */
export function targetOf({ url }: AuditStream): URL {
  const text = valueOf(url).trim();
  if (!isRight(text)) refuse(NAME, "…", FIX);
  return new URL(text);
}
