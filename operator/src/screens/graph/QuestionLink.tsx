import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { type Search, stringifySearch } from "../../model/search.ts";
import type { Column } from "../../table/types.ts";

export interface Asked {
  /** Its name in the list of questions (questions.ts). */
  question: "why" | "who" | "reach" | "exposed" | "remove-person" | "remove-device" | "paths" | "taken";
  /** Who and what it is about: `user_id`, `room_id`, `device_id`. */
  about: Search;
}

interface LinkProps {
  inGrid?: boolean;
  /** The whole question, where the words alone do not say what they are about. They are a part of it. */
  label?: string;
  children: ReactNode;
}

/** Leads from a page of somebody or something to a question about it, with its answer. */
export function QuestionLink({ question, about, inGrid, label, children }: Asked & LinkProps) {
  return (
    <Link
      to="/graph"
      search={{ question, ...about }}
      {...(inGrid && { tabIndex: -1 })}
      {...(label !== undefined && { "aria-label": label })}
    >
      {children}
    </Link>
  );
}

/** A column of a list with such a link in each row; a file has its address. */
export function questionColumn<T>(words: string, askedOf: (item: T) => Asked): Column<T> {
  const addressOf = ({ question, about }: Asked) => `/admin/graph${stringifySearch({ question, ...about })}`;
  return {
    id: "ask",
    label: "Ask",
    width: "160px",
    value: (item) => addressOf(askedOf(item)),
    cell: (item) => (
      <QuestionLink {...askedOf(item)} inGrid>
        {words}
      </QuestionLink>
    ),
  };
}
