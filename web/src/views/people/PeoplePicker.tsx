import { type KeyboardEvent, useEffect, useId, useState } from "react";
import { useMessenger } from "../../app/context.ts";
import type { Person } from "../../models/timeline/item.ts";
import { cx } from "../../ui/cx.ts";
import { Icon } from "../../ui/Icon.tsx";
import { Face } from "../room/Face.tsx";
import styles from "./PeoplePicker.module.css";

/** Between the last key and the question to the server. */
const SEARCH_AFTER_MS = 150;

export interface PeoplePickerProps {
  label: string;
  chosen: Person[];
  onChange: (people: Person[]) => void;
  /** People who cannot be chosen, such as those who are there already. */
  without?: string[];
}

/** Finds people of this server by name, or anyone by their full address, and collects the chosen ones. */
export function PeoplePicker({ label, chosen, onChange, without = [] }: PeoplePickerProps) {
  const listId = useId();
  const [term, setTerm] = useState("");
  const [at, setAt] = useState(0);
  const { found, searching } = usePeople(term);
  const taken = new Set([...without, ...chosen.map((person) => person.id)]);
  const list = found.filter((person) => !taken.has(person.id)).slice(0, 8);
  const add = (person: Person | undefined) => {
    if (!person) return;
    onChange([...chosen, person]);
    setTerm("");
    setAt(0);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") setAt(Math.min(list.length - 1, at + 1));
    else if (event.key === "ArrowUp") setAt(Math.max(0, at - 1));
    else if (event.key === "Enter" && list.length > 0) add(list[at]);
    else if (event.key === "Backspace" && term === "" && chosen.length > 0) onChange(chosen.slice(0, -1));
    else return;
    event.preventDefault();
  };
  return (
    <div className={styles["picker"]}>
      <div className={styles["box"]}>
        {chosen.map((person) => (
          <Chip
            key={person.id}
            person={person}
            onRemove={() => onChange(chosen.filter((other) => other.id !== person.id))}
          />
        ))}
        <input
          className={styles["input"]}
          role="combobox"
          aria-label={label}
          aria-expanded={list.length > 0}
          aria-controls={listId}
          aria-activedescendant={list[at] ? `${listId}-${at}` : undefined}
          aria-autocomplete="list"
          placeholder={chosen.length === 0 ? "Name or @person:server" : ""}
          value={term}
          autoFocus
          autoCapitalize="none"
          spellCheck={false}
          onChange={(event) => {
            setTerm(event.target.value);
            setAt(0);
          }}
          onKeyDown={onKeyDown}
        />
      </div>
      <div id={listId} role="listbox" aria-label="People found" className={styles["list"]}>
        {list.map((person, index) => (
          <Option
            key={person.id}
            id={`${listId}-${index}`}
            person={person}
            chosen={index === at}
            onPoint={() => setAt(index)}
            onPick={() => add(person)}
          />
        ))}
      </div>
      {term.trim() !== "" && list.length === 0 && !searching && (
        <p className={styles["none"]}>Nobody found. Someone new can be reached by their full address: @name:server.</p>
      )}
    </div>
  );
}

interface OptionProps {
  id: string;
  person: Person;
  chosen: boolean;
  onPoint: () => void;
  onPick: () => void;
}

function Option({ id, person, chosen, onPoint, onPick }: OptionProps) {
  return (
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus -- the field keeps the focus and its keys choose here
    <div
      id={id}
      role="option"
      aria-selected={chosen}
      className={cx(styles["option"], chosen && styles["chosen"])}
      onPointerMove={onPoint}
      onClick={onPick}
    >
      <Face person={person} size={24} />
      <span className={styles["name"]}>{person.name}</span>
      <span className={styles["id"]}>{person.id}</span>
    </div>
  );
}

function Chip({ person, onRemove }: { person: Person; onRemove: () => void }) {
  return (
    <span className={styles["chip"]} title={person.id}>
      <Face person={person} size={16} />
      {person.name}
      <button type="button" aria-label={`Take ${person.name} away`} onClick={onRemove}>
        <Icon name="close" size={12} />
      </button>
    </span>
  );
}

/** People for the term, asked for when typing rests; the last answer stands until the next one comes. */
function usePeople(term: string) {
  const messenger = useMessenger();
  const [answer, setAnswer] = useState<{ term: string; found: Person[] }>({ term: "", found: [] });
  useEffect(() => {
    let current = true;
    const ask = () =>
      messenger.findPeople(term.trim()).then(
        (found) => current && setAnswer({ term, found }),
        () => current && setAnswer({ term, found: [] }),
      );
    const timer = setTimeout(() => void ask(), SEARCH_AFTER_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [messenger, term]);
  return { found: answer.found, searching: answer.term !== term };
}
