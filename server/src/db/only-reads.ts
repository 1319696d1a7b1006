/**
 * Whether a statement changes nothing, so that it may be asked again when its connection breaks and nobody knows what became of it.
 * Judged by its text alone, which is a constant of the code; where the text leaves a doubt, such as a call of a function of ours,
 * the statement counts as one that changes something.
 */
import { schemas } from "./roles.ts";

const CHANGES =
  /\b(insert|update|delete|merge|truncate|call|lock|notify|for\s+(no\s+key\s+update|key\s+share|share))\b/i;
/** Of PostgreSQL's own functions those that do more than they answer. */
const ACTS =
  /\b(nextval|setval|set_config|pg_notify|pg_\w*advisory\w*|pg_terminate_backend|pg_cancel_backend|lo_\w+)\s*\(/i;
const OURS = new RegExp(`\\b(${schemas.join("|")})\\s*\\.\\s*\\w+\\s*\\(`, "i");

const judged = new Map<string, boolean>();

export function onlyReads(sql: string): boolean {
  let answer = judged.get(sql);
  if (answer === undefined) {
    answer = /^\s*(select|with)\b/i.test(sql) && ![CHANGES, ACTS, OURS].some((each) => each.test(sql));
    judged.set(sql, answer);
  }
  return answer;
}
