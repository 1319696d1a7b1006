/** Acts of an operator: what is asked before, what is said after. One dialog for all of them, so that every one is asked the same way. */
import type { ReactNode } from "react";
import type { Query } from "../api.ts";
import { store, useStore } from "../model/store.ts";

export interface ActField {
  name: string;
  label: string;
  /** A line under the field. */
  hint?: string;
  /** With options it is a choice. */
  options?: readonly { value: string; label: string; hint?: string }[];
  kind?: "text" | "number" | "password" | "area" | "date";
  initial?: string;
  isOptional?: boolean;
}

export type Values = Readonly<Record<string, string>>;

export interface Act<A = unknown> {
  /** A question or a title: `Suspend @ana:example.org?` */
  title: string;
  /** What will happen, with counts, in a sentence or two. */
  consequence?: ReactNode;
  /** In place of `consequence`, where that depends on what is filled in. */
  counts?: Counts;
  /** What the button says. */
  label: string;
  isDangerous?: boolean;
  fields?: readonly ActField[];
  /** Asks why, for the audit log. */
  asksReason?: boolean;
  /** For what cannot be taken back: this text must be typed. */
  typed?: string | undefined;
  /** Throws a Problem, whose sentence the dialog shows. `values` has the fields by their names, and `reason`. */
  run(values: Values): Promise<A>;
  /** What is said when it is done; `says` where that depends on the answer. */
  done?: string;
  says?(answer: A): string;
  /** Takes it back, within ten seconds. */
  undo?(answer: A, values: Values): Promise<unknown>;
  /** What the dialog shows at its end in place of closing, such as a secret that is shown once. */
  shows?(answer: A): ReactNode;
}

/** What the server is asked before an act, each time that something else is filled in. */
export interface Counts<E = unknown> {
  question(values: Values): { path: string; query: Query };
  /** What will happen, in a sentence or two. */
  says(effect: E, values: Values): string;
  /** Whether it can be done: the button is off until then. */
  allows(effect: E, values: Values): boolean;
}

const asked = store<Act | null>(null);

/** Asks for an act. */
export function ask(act: Act): void {
  asked.set(act);
}

export function endAsking(): void {
  asked.set(null);
}

/** The act that is asked for, for the dialog. */
export function useAsked(): Act | null {
  return useStore(asked);
}
