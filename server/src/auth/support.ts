/** Whom people ask who can not sign in. Specification: client-server-api, "Well-known URIs", "/.well-known/matrix/support". */
import { type Env, refuse, text, url } from "../settings/read.ts";

const [CONTACTS, PAGE] = ["PARLEY_SUPPORT_CONTACTS", "PARLEY_SUPPORT_PAGE"];
const roles = { admin: "m.role.admin", security: "m.role.security" } as const;

interface Contact {
  role: (typeof roles)[keyof typeof roles];
  matrix_id?: string;
  email_address?: string;
}

/** As it is answered. */
export interface Support {
  contacts?: readonly Contact[];
  support_page?: string;
}

/** Undefined where nobody is named. Throws StartError where a contact is none. */
export function readSupport(env: Env): Support | undefined {
  const written = text(env, CONTACTS);
  const contacts = written
    .split(",")
    .flatMap((each) => (each.trim() === "" ? [] : (contactOf(each.trim()) ?? refuseAll(written))));
  const page = url(env, PAGE, ["http:", "https:"]);
  if (contacts.length === 0 && page === undefined) return undefined;
  return { ...(contacts.length > 0 ? { contacts } : {}), ...(page === undefined ? {} : { support_page: page }) };
}

function contactOf(written: string): Contact | undefined {
  const { role = "admin", whom = "" } = /^(?:(?<role>admin|security)=)?(?<whom>\S+)$/.exec(written)?.groups ?? {};
  const named = roles[role as keyof typeof roles];
  if (/^@[^:]+:[^:]+(:\d+)?$/.test(whom)) return { role: named, matrix_id: whom };
  // What stands before a "=" is a role that there is not.
  if (/^[^@=]+@[^@=]+$/.test(whom)) return { role: named, email_address: whom };
  return undefined;
}

function refuseAll(written: string): never {
  const examples = "admin@example.org, @ana:example.org or security=security@example.org";
  return refuse(CONTACTS, written, `set it to addresses such as ${examples}, with commas between.`);
}
