/**
 * An act or a question of an operator, as data. From the list of all (operations.ts) come the operator API, the console's back
 * end, the OpenAPI document and its page, the permissions, the audit entries and the shell's commands. See docs/protocol/operator-api.md.
 *
 *   operation({
 *     id: "users.suspend", method: "POST", path: "/users/:userId/suspend", summary: "Suspends an account",
 *     role: "operator", body: z.object({ reason: reasonSchema }), answer: z.object({ user_id: z.string() }),
 *     target: ({ params }) => params.userId,
 *     command: { name: "user suspend", arguments: ["userId"] },
 *     handle: async ({ params, audit }, ctx) => { ... },
 *   })
 */
import { z } from "zod";
import type { Context } from "../context.ts";
import type { Transaction } from "../db/database.ts";
import type { Answer } from "../http.ts";
import { limits, type Rate } from "../limits.ts";
import type { Logger } from "../logger.ts";

/** Each may do what those before it may: an auditor reads, an operator acts, an owner decides who is one and holds the keys. */
export const operatorRoles = ["auditor", "operator", "owner"] as const;
export type OperatorRole = (typeof operatorRoles)[number];

/**
 * Who acts: a person, whoever has a shell on a machine that reaches the database, a job that says how it ended, or a directory that
 * provisions people.
 */
export interface Actor {
  /** A user id, `shell:<account>@<host>`, or `scim:<name of the token>`. */
  userId: string;
  role: OperatorRole;
  via: "browser" | "token" | "shell" | "job" | "scim";
  address: string;
  /** The Matrix device whose token it was. */
  device?: string | undefined;
}

/** What an act changed, for the audit log. Never a secret, never the content of a message. */
export interface Change {
  /** Where it is not the operation's own target: acts on many things name each. */
  target?: string;
  before?: unknown;
  after?: unknown;
  /** The errcode, where this one of many could not be done. */
  error?: string;
}

/** Writes how an act ended. Of several calls the first one counts. */
export interface Ending {
  /** Throws where it can not be written: then nobody is told of success. */
  done(change: Change): Promise<void>;
  failed(thrown: unknown, change: Change): Promise<void>;
}

/** The names of a path's parameters: "/users/:userId/suspend" has userId. */
export type ParamsOf<P extends string> = P extends `${string}/:${infer Name}/${infer Rest}`
  ? Record<Name, string> & ParamsOf<`/${Rest}`>
  : P extends `${string}/:${infer Name}`
    ? Record<Name, string>
    : unknown;

export interface OperationRequest<P = Record<string, string>, Q = unknown, B = unknown> {
  params: P;
  query: Q;
  body: B;
  actor: Actor;
  /**
   * Says what was changed; may be called for each thing of many. The entries are written when the handler is done, before anybody
   * is told that it is. Where it is never called there is one entry without before and after.
   */
  audit(change: Change): void;
  /**
   * A change of the schema `console`, and its audit entries, in one transaction: neither is there without the other. What `run`
   * tells with `audit` is written at its end.
   */
  transact<T>(run: (db: Transaction) => Promise<T>): Promise<T>;
  /**
   * For what streams and has changed nothing yet when its handler is done: who calls this writes the end of the act, once, before
   * whoever asked is told of it.
   */
  goesOn(): Ending;
  /** Aborts when the other end goes away. */
  signal: AbortSignal;
  log: Logger;
}

type Output<S> = S extends z.ZodType ? z.output<S> : S extends "stream" ? import("node:stream").Readable : undefined;

export interface OperationCommand {
  /** As it is typed behind `parley`: "user suspend". */
  name: string;
  /** Which of the path's parameters, or of the body's members, are given by their place. */
  arguments?: readonly string[];
  /** Of a list, which members of an item are shown; those of a nested object as "a.b". By default every one that is a plain value. */
  columns?: readonly string[];
  /** Members of the body that are no options: a secret does not belong on a command line. */
  secrets?: readonly string[];
  /** Which members of the answer are printed for people, where not all of them are. */
  shows?: readonly string[];
  /** Of a body that is a stream: what its file is, for the help. */
  file?: string;
  /** Whether the answer, a stream, is printed as it comes. */
  isStream?: boolean;
}

export interface OperationOptions<
  P extends string,
  Q extends z.ZodType,
  B extends z.ZodType | "stream" | undefined,
  A extends z.ZodType | "stream",
> {
  /** The operationId of the OpenAPI document, and the action of the audit log: "<plural>.<verb>". */
  id: string;
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** Behind /_parley/admin/v1 and /api/admin/v1. */
  path: P;
  /** One line. */
  summary: string;
  /** What else is to be known, for the reference. */
  description?: string;
  /** The least that may do it. */
  role: OperatorRole;
  /** Values are texts: coerce. Unknown members are refused, as in the body. */
  query?: Q;
  /** `stream` hands over the body unread. */
  body?: B;
  /** `stream`: the handler gives an `Answer` of its own. */
  answer: A;
  /**
   * Whether it changes something: then it is audited, and a browser needs a sign-in of the last 15 minutes. By default all but GET.
   * A question that is a POST says false.
   */
  isWrite?: boolean;
  /** Whether it is audited. By default where it writes; what exports, or reads what is delicate, says true. */
  isAudited?: boolean;
  /**
   * Whether all that it changes is one `transact`: then neither the change nor its entry is there without the other. By default it is
   * not: then an entry says that it has begun before it does anything.
   */
  isOneTransaction?: boolean;
  rate?: Rate;
  bodyLimit_bytes?: number;
  /** What the audit names, such as a user id. */
  target?(request: { params: ParamsOf<P>; body: Output<B> }): string | undefined;
  /** What the entry says that is written when it begins: what it is about to do, without a secret. By default its target and reason. */
  intent?(request: { query: z.output<Q>; body: Output<B> }): object;
  command?: OperationCommand;
  /** Throws matrixError where it can not. */
  handle(
    request: OperationRequest<ParamsOf<P>, z.output<Q>, Output<B>>,
    ctx: Context,
  ): Promise<A extends z.ZodType ? z.input<A> : Answer>;
}

/** An operation whose types are forgotten: what is listed and mounted. */
export interface Operation {
  id: string;
  method: "GET" | "POST" | "PUT" | "DELETE";
  path: string;
  summary: string;
  description?: string;
  role: OperatorRole;
  query: z.ZodType;
  body: z.ZodType | "stream" | undefined;
  answer: z.ZodType | "stream";
  isWrite: boolean;
  isAudited: boolean;
  isOneTransaction?: boolean;
  rate: Rate;
  bodyLimit_bytes?: number;
  target?(request: { params: Record<string, string>; body: unknown }): string | undefined;
  intent?(request: { query: unknown; body: unknown }): object;
  command?: OperationCommand;
  handle(request: OperationRequest, ctx: Context): Promise<unknown>;
}

/** Describes an operation, with its handler typed by its schemas. */
export function operation<
  const P extends string,
  Q extends z.ZodType = z.ZodType,
  B extends z.ZodType | "stream" | undefined = undefined,
  A extends z.ZodType | "stream" = z.ZodType,
>(options: OperationOptions<P, Q, B, A>): Operation {
  const isWrite = options.isWrite ?? options.method !== "GET";
  const { query = z.object({}), body, isAudited = isWrite, rate = "operator" } = options;
  return {
    ...(options as unknown as Operation),
    query: strict(query),
    body: body === undefined || body === "stream" ? body : strict(body),
    isWrite,
    isAudited,
    rate,
  };
}

/** A member that nobody knows is a mistake that would otherwise pass for having been heard. */
function strict(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodObject && schema.def.catchall === undefined ? schema.strict() : schema;
}

/** Why something is done, for the audit log. */
export const reasonSchema = z.string().trim().min(1).max(limits.operatorReason_characters).meta({
  description: "Why this is done: it is kept in the audit log.",
});

/** What every list takes. `sort` is for the operation to add, as an enum of "name" and "-name". */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(limits.operatorPage_items).default(limits.operatorDefaultPage_items),
  from: z.string().max(limits.operatorCursor_characters).optional().meta({ description: "`next` of the page before." }),
  q: z.string().trim().max(limits.identifier_bytes).optional().meta({ description: "What to search for." }),
};

/** What every list answers. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({
    items: z.array(item),
    next: z.string().optional().meta({ description: "For `from`; there is none on the last page." }),
    total: z
      .int()
      .min(0)
      .optional()
      .meta({ description: "How many there are with these filters, where that is cheap to know." }),
  });
}
