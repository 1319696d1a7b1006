/**
 * What the replicas share, and what an adapter is. Everything that is the same over each of them (what this process knows, the
 * writing in batches, a store that is away) is in shared.ts, once.
 *
 * Typing and presence work like a small log of which only the newest entry of each key is kept. The store has one number; an
 * exchange that changes anything raises it and marks with it what has changed. A replica that knows everything up to a number
 * asks for what is above it. The number is the store's time in milliseconds, pushed on where time stands still or goes back, and
 * never below what any replica has known (`floor`): a store that lost everything goes on above.
 */
import { z } from "zod";
import type { PresenceState, Upload } from "./ephemeral.ts";

export interface Store {
  /** As an operator would call it. */
  name: string;
  /** Whether other processes use it too. */
  isShared: boolean;
  /** Ends what is over by the store's time, applies the operations, and gives what has changed. One atomic step. */
  exchange(ask: Ask): Promise<News>;
  /** Takes from token buckets. The answers are in the order of the spendings. */
  spend(spendings: readonly Spending[]): Promise<Bucket[]>;
  setUploads(uploads: readonly Upload[]): Promise<void>;
  upload(id: string): Promise<Upload | undefined>;
  close(): Promise<void>;
}

export interface Ask {
  /** Of each room and person, and of each session, at most one. */
  operations: readonly Operation[];
  /** Where the replica stands: what is above it is wanted. */
  after: number;
  /** Which life of the store `after` is of; 0 where everything is wanted. */
  born: number;
}

/** Applying one twice is applying it once. */
export type Operation = TypingOperation | PresenceOperation;

export interface TypingOperation {
  room: string;
  user: string;
  /** 0 ends it. */
  timeout_ms: number;
}

export interface PresenceOperation {
  user: string;
  session: string;
  state: PresenceState;
  /** Left out: stays as it is. */
  status?: string | null;
  /** How long ago the session gave its last sign of life, from where the timeout counts. */
  idle_ms: number;
  timeout_ms: number;
  /** How long ago the person was active; left out: this says nothing of it. */
  active_ms?: number;
}

/** The people of a room whose typing is told at the most. */
export const TYPING_USERS = 100;

/**
 * Rows of which this process reads what it knows: another release may have added to their ends. One that can not be read at all
 * does not take the others along; whom it is of, is not known here.
 */
function readable<Row>(row: z.ZodType<Row>) {
  return z.array(z.unknown()).transform((rows) =>
    rows.flatMap((each) => {
      const read = row.safeParse(each);
      return read.success ? [read.data] : [];
    }),
  );
}

/** A state that only another release knows is of somebody who is there, and not as one is who is online. */
const state = z.enum(["online", "unavailable", "offline"]).catch("unavailable");

const typingRow = z
  .tuple([z.string(), z.array(z.string()), z.number()], z.unknown())
  .transform(([room, users, changed]): [string, string[], number] => [room, users, changed]);
const presenceRow = z
  .tuple([z.string(), state, z.string().nullable(), z.number(), z.number()], z.unknown())
  .transform(([user, ...[now, status, active_ms, changed]]): [string, PresenceState, string | null, number, number] => [
    user,
    now,
    status,
    active_ms,
    changed,
  ]);

const news = z.object({
  /** Which life of the store this is of: it begins anew when everything was lost. */
  born: z.number(),
  /** Everything that is true now, and not only what has changed: what is missing is over. */
  isWhole: z.boolean(),
  /** Covers what is above this number, */
  after: z.number(),
  /** up to this one. */
  upTo: z.number(),
  /** Whether this exchange changed anything. */
  isChanged: z.boolean(),
  /** The store's time, and when the next thing is over by itself. */
  now_ms: z.number(),
  end_ms: z.number().nullish(),
  typing: readable(typingRow),
  presence: readable(presenceRow),
});

/** typing: room, users, number of the change. presence: user, state, status, last active (store's time), number. */
export type News = z.output<typeof news>;

/** Reads what came from outside this process, and may be of another release. Throws where it is no news. */
export function parseNews(json: unknown): News {
  return news.parse(json);
}

/** Tokens that one replica wants of a bucket, which fills by itself. */
export interface Spending {
  name: string;
  burst: number;
  perSecond: number;
  tokens: number;
  /** They were spent already: the bucket goes below 0, down to `-burst`. Else they are taken only if all are there. */
  isSpent: boolean;
}

export interface Bucket {
  isTaken: boolean;
  /** Tokens that are left. */
  tokens: number;
}
