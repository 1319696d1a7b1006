import { useState } from "react";
import { ComboBox, Input, Label, ListBox, ListBoxItem, Popover } from "react-aria-components";
import { useAnswer } from "../../model/queries.ts";
import styles from "./Picker.module.css";

interface Found {
  items: { id: string; name: string | null; detail?: string }[];
}

export interface PickerProps {
  kind: "person" | "room" | "device";
  label: string;
  value: string;
  /** device: whose. */
  userId?: string | undefined;
  onChange: (id: string) => void;
}

/** Somebody or something of the graph, found by the beginning of the name. An id that is typed in full counts as well. */
export function Picker({ kind, label, value, userId, onChange }: PickerProps) {
  const [text, setText] = useState(value);
  const query = { kind, q: text, user_id: kind === "device" ? userId : undefined };
  const found = useAnswer<Found>("/graph/find", { query, enabled: kind !== "device" || userId !== undefined });
  const items = found.data?.items ?? [];
  const named = items.find(({ id }) => id === value)?.name;
  const commit = (id: string) => {
    const picked = items.find((item) => item.id === id);
    setText(picked?.name ?? id);
    onChange(id);
  };
  return (
    <ComboBox
      className={styles["picker"] ?? ""}
      items={items}
      inputValue={text}
      onInputChange={setText}
      onSelectionChange={(key) => key !== null && commit(String(key))}
      allowsCustomValue
      menuTrigger="input"
      onBlur={() => text === "" && value !== "" && onChange("")}
    >
      <Label className={styles["label"] ?? ""}>{label}</Label>
      <Input
        className={styles["input"] ?? ""}
        placeholder={kind === "device" && userId === undefined ? "Choose the person first" : "Name or id"}
        onKeyDown={(event) => event.key === "Enter" && /^[@!]/.test(text) && commit(text)}
      />
      {value !== "" && <span className={styles["id"]}>{text === value ? (named ?? "") : value}</span>}
      <Popover className={styles["popover"] ?? ""}>
        <ListBox<Found["items"][number]>
          className={styles["list"] ?? ""}
          renderEmptyState={() => <p className={styles["none"]}>Nothing begins so.</p>}
        >
          {(item) => (
            <ListBoxItem id={item.id} textValue={item.name ?? item.id} className={styles["item"] ?? ""}>
              <span>{item.name ?? item.id}</span>
              <span className={styles["detail"]}>{item.detail ?? item.id}</span>
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </ComboBox>
  );
}
