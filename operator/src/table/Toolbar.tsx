import { type KeyboardEvent, type RefObject, useEffect, useState } from "react";
import { Button, IconButton } from "../../../web/src/ui/Button.tsx";
import { cx } from "../../../web/src/ui/cx.ts";
import { Field } from "../../../web/src/ui/Field.tsx";
import { Icon } from "../../../web/src/ui/Icon.tsx";
import { type MenuGroups, MenuButton } from "../../../web/src/ui/Menu.tsx";
import { attempt } from "../../../web/src/ui/Toast.tsx";
import { chipOf, type Filter, type Search, withFilter } from "../model/search.ts";
import { useAddress } from "../model/useSearch.ts";
import { grouped } from "../parts/words.ts";
import { exportList } from "./export.ts";
import type { Column, DataTableProps } from "./types.ts";
import styles from "./Table.module.css";

const TYPING_MS = 250;

export interface ToolbarProps<T> {
  table: DataTableProps<T>;
  shown: readonly Column<T>[];
  active: Search;
  total?: number | undefined;
  onToggleColumn: (id: string) => void;
  searchField: RefObject<HTMLInputElement | null>;
}

/** The search field, the filters, how many there are, the columns and the files. */
export function Toolbar<T>({ table, shown, active, total, onToggleColumn, searchField }: ToolbarProps<T>) {
  const { label, isSearchable, filters = [], columns } = table;
  const columnsMenu: MenuGroups = [
    {
      title: "Columns",
      entries: columns.map(({ id, label: name }) => ({
        id,
        label: name,
        checked: shown.some((each) => each.id === id),
        onAction: () => onToggleColumn(id),
      })),
    },
  ];
  const save = (form: "csv" | "json") => () =>
    void attempt("Could not export", () => exportList({ table, shown, filters: active, form }));
  const filesMenu: MenuGroups = [
    {
      title: "Every row that the filters leave",
      entries: [
        { id: "csv", label: "CSV, with these columns", icon: "download", onAction: save("csv") },
        { id: "json", label: "JSON, complete", icon: "download", onAction: save("json") },
      ],
    },
  ];
  return (
    <div className={styles["toolbar"]} role="toolbar" aria-label={`${label}: filters and files`}>
      {isSearchable && <SearchField label={`Search ${label.toLowerCase()}`} inputRef={searchField} />}
      {filters.map((filter) => (
        <FilterControl key={filter.name} filter={filter} value={active[filter.name] ?? ""} />
      ))}
      <div className={styles["tools"]}>
        {total !== undefined && <span className={styles["total"]}>{grouped(total)}</span>}
        <MenuButton label="Columns" placement="bottom end" groups={columnsMenu}>
          {(trigger) => (
            <IconButton {...trigger} icon="list" label="Columns" size="compact" className={styles["columns"]} />
          )}
        </MenuButton>
        <MenuButton label="Export" placement="bottom end" groups={filesMenu}>
          {(trigger) => <IconButton {...trigger} icon="download" label="Export" size="compact" />}
        </MenuButton>
      </div>
    </div>
  );
}

/** What is typed goes into the address when the typing rests. */
function SearchField({ label, inputRef }: { label: string; inputRef: RefObject<HTMLInputElement | null> }) {
  const { search, set } = useAddress();
  const kept = search["q"] ?? "";
  const [text, setText] = useState(kept);
  const [seen, setSeen] = useState(kept);
  if (seen !== kept) {
    setSeen(kept);
    setText(kept);
  }
  useEffect(() => {
    if (text === kept) return;
    const timer = setTimeout(() => set(withFilter(search, "q", text)), TYPING_MS);
    return () => clearTimeout(timer);
  });
  useSlash(inputRef);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter") set(withFilter(search, "q", text));
  };
  return (
    <Field
      label={label}
      hideLabel
      placeholder={label}
      value={text}
      onChange={setText}
      onKeyDown={onKeyDown}
      inputRef={inputRef}
      type="search"
      autoCapitalize="none"
      className={styles["search"]}
    />
  );
}

/** The key / goes to the field from anywhere that is no field itself. */
function useSlash(inputRef: RefObject<HTMLInputElement | null>): void {
  useEffect(() => {
    const onKeyDown = (event: globalThis.KeyboardEvent) => {
      const isTyping = (event.target as Element | null)?.closest("input, textarea, [contenteditable], [role=dialog]");
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping) return;
      event.preventDefault();
      inputRef.current?.focus();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [inputRef]);
}

function FilterControl({ filter, value }: { filter: Filter; value: string }) {
  const { search, set } = useAddress();
  const choose = (next: string) => set(withFilter(search, filter.name, next));
  if (!filter.options) return <TextFilter filter={filter} value={value} onChange={choose} />;
  const entries = filter.options.map((option) => ({
    id: option.value,
    label: option.label,
    checked: option.value === value,
    onAction: () => choose(option.value === value ? "" : option.value),
  }));
  return (
    <span className={styles["filter"]} data-on={value !== "" || undefined}>
      <MenuButton label={filter.label} groups={[{ entries }]}>
        {(trigger) => (
          <Button {...trigger} size="compact" variant="quiet">
            {value === "" ? filter.label : chipOf(filter, value)}
            <Icon name="chevronDown" size={12} />
          </Button>
        )}
      </MenuButton>
      {value !== "" && (
        <IconButton
          icon="close"
          iconSize={14}
          size="compact"
          label={`Clear ${filter.label.toLowerCase()}`}
          onPress={() => choose("")}
        />
      )}
    </span>
  );
}

function TextFilter({ filter, value, onChange }: { filter: Filter; value: string; onChange: (value: string) => void }) {
  const [text, setText] = useState(value);
  const [seen, setSeen] = useState(value);
  if (seen !== value) {
    setSeen(value);
    setText(value);
  }
  return (
    <Field
      label={filter.label}
      hideLabel
      placeholder={filter.label}
      value={text}
      onChange={setText}
      onBlur={() => text !== value && onChange(text.trim())}
      onKeyDown={(event) => event.key === "Enter" && onChange(text.trim())}
      type={filter.day ? "date" : "text"}
      {...(filter.day ? { prefix: filter.label } : {})}
      autoCapitalize="none"
      className={cx(styles["textFilter"], filter.day && styles["day"])}
    />
  );
}
