/** What another database, or the way to it, says: in sentences that tell what to do, and that hold no credential. */
import { ForeignError } from "../db/foreign.ts";
import { matrixError, type MatrixError } from "../errors.ts";
import type { Statement } from "./cypher/statement.ts";

/** Why a connection could not be made. */
const unreachable: Readonly<Record<string, string>> = {
  ECONNREFUSED: "Nothing listens there: check the port, and that PostgreSQL listens on this address.",
  ETIMEDOUT: "There was no answer: check the host, and the firewalls between.",
  EHOSTUNREACH: "There is no way to this host from here.",
  ENETUNREACH: "There is no way to this network from here.",
  ECONNRESET: "The connection was closed at once: check the port, and whether the server takes connections from here.",
  "28P01": "The user or the password is not right.",
  "28000": "The server lets this user not in from here: its pg_hba.conf says who may, and whether TLS is needed.",
  "3D000": "There is no database of this name.",
  "42501": "This user may not connect to this database.",
  "53300": "The server has all the connections that it takes.",
  "57P03": "The server is starting or stopping: try again in a moment.",
  DEPTH_ZERO_SELF_SIGNED_CERT: "The server's certificate is signed by itself: give that certificate as the CA.",
  SELF_SIGNED_CERT_IN_CHAIN:
    "The server's certificate is signed by an authority that is not known: give its certificate as the CA.",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    "The server's certificate is signed by an authority that is not known: give its certificate as the CA.",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    "The server's certificate is signed by an authority that is not known: give its certificate as the CA.",
  ERR_TLS_CERT_ALTNAME_INVALID: "The server's certificate is for another host.",
  CERT_HAS_EXPIRED: "The server's certificate has expired.",
  ERR_OSSL_PEM_NO_START_LINE: "The CA is no certificate: it begins with -----BEGIN CERTIFICATE-----.",
};

/** Drivers tell some things in words alone. */
const byWords: readonly (readonly [RegExp, string])[] = [
  [/does not support SSL/i, "The server speaks no TLS: switch it on there, or choose not to use it."],
  [/timeout/i, unreachable["ETIMEDOUT"] as string],
  [/terminated unexpectedly|ended/i, unreachable["ECONNRESET"] as string],
];

/** M_BAD_STATE, with `reason` for programs. */
export function unreachableBecause(thrown: ForeignError): MatrixError {
  const words = byWords.find(([pattern]) => pattern.test(thrown.message))?.[1];
  const sentence = unreachable[thrown.code] ?? words ?? `The server says: ${thrown.message}.`;
  return matrixError("M_BAD_STATE", sentence, { fields: { reason: thrown.code } });
}

export const missingAge = {
  reason: "no_age",
  sentence:
    "This database has no Apache AGE: its owner creates the extension with `create extension age` (Debian: apt-get install postgresql-17-age). Until then there are no graphs to show; the questions of the access graph work without it.",
} as const;

export function noAge(): MatrixError {
  return matrixError("M_BAD_STATE", missingAge.sentence, { fields: { reason: missingAge.reason } });
}

interface Ran {
  cypher: string;
  statement: Pick<Statement, "offset">;
  timeout_ms: number;
  /** Whether it was stopped because its time was over. */
  isOverdue: boolean;
}

/** What is told of a query that failed. Errors that are none of another database are given back as they are. */
export function queryFailure(thrown: unknown, ran: Ran): unknown {
  if (!(thrown instanceof ForeignError)) return thrown;
  const { code, message, hint } = thrown;
  const fields = { reason: code };
  if (code === "57014" || ran.isOverdue)
    return ran.isOverdue || /statement timeout/.test(message)
      ? matrixError("M_RESOURCE_LIMIT_EXCEEDED", tooLong(ran.timeout_ms), { fields: { reason: "timeout" } })
      : matrixError("M_RESOURCE_LIMIT_EXCEEDED", "The query was stopped.", { fields: { reason: "stopped" } });
  if (code === "too_large")
    return matrixError(
      "M_TOO_LARGE",
      "The answer is larger than is taken here: ask for less, such as n.name in place of n.",
      {
        fields: { reason: "too_large" },
      },
    );
  if (code === "25006")
    return matrixError("M_FORBIDDEN", "This changes the graph, and is run read-only.", {
      fields: { reason: "writes" },
    });
  if (code === "42501") return matrixError("M_FORBIDDEN", `The database refuses it: ${message}.`, { fields });
  if (code === "3F000" && /graph .* does not exist/.test(message))
    return matrixError("M_NOT_FOUND", `There is no such graph: ${message}.`, { fields });
  if (/^(08|57P)/.test(code) || !/^[0-9A-Z]{5}$/.test(code))
    return matrixError("IO_PARLEY_UNAVAILABLE", "The connection to the database was lost.", { fields });
  const position = positionIn(ran, thrown.position);
  return matrixError("M_INVALID_PARAM", hint ? `${message}. ${hint}` : `${message}.`, {
    fields: position === undefined ? fields : { ...fields, position },
  });
}

function tooLong(timeout_ms: number): string {
  return `The query took longer than ${timeout_ms / 1_000} s and was stopped in the database: ask for less (LIMIT), or give it more time.`;
}

/** From characters of the statement to UTF-16 units of the Cypher text; undefined where it is elsewhere. */
function positionIn({ cypher, statement }: Ran, position: number | undefined): number | undefined {
  if (position === undefined) return undefined;
  // What stands before the text is ASCII, or of the graph's name; the text itself may have characters of two units.
  const characters = Array.from(cypher);
  const index = position - 1 - statement.offset;
  if (index < 0 || index > characters.length) return undefined;
  return characters.slice(0, index).join("").length;
}
