import { useState } from "react";
import { Button, IconButton } from "../../ui/Button.tsx";
import { Field } from "../../ui/Field.tsx";
import { attempt } from "../../ui/Toast.tsx";
import styles from "./Details.module.css";

export interface EditableTextProps {
  label: string;
  value: string;
  /** What stands there when there is no value. */
  empty?: string;
  rows?: number;
  editable: boolean;
  onSave: (value: string) => Promise<void>;
}

/** A text with a pencil for those who may change it. */
export function EditableText({ label, value, empty = "", rows = 1, editable, onSave }: EditableTextProps) {
  const [draft, setDraft] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const save = async () => {
    if (draft === null) return;
    setBusy(true);
    const saved = await attempt("Not saved", () => onSave(draft.trim()));
    setBusy(false);
    if (saved) setDraft(null);
  };
  if (draft !== null) {
    return (
      <form
        className={styles["form"]}
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <Field
          label={label}
          value={draft}
          onChange={setDraft}
          rows={rows}
          autoFocus
          maxLength={rows > 1 ? 1000 : 255}
        />
        <div className={styles["formActions"]}>
          <Button size="compact" onPress={() => setDraft(null)}>
            Cancel
          </Button>
          <Button size="compact" variant="primary" type="submit" busy={busy}>
            Save
          </Button>
        </div>
      </form>
    );
  }
  return (
    <div className={styles["editable"]}>
      <div>
        <h3 className={styles["label"]}>{label}</h3>
        <p className={value ? styles["fact"] : styles["none"]}>{value || empty}</p>
      </div>
      {editable && (
        <IconButton
          icon="edit"
          label={`Change the ${label.toLowerCase()}`}
          size="compact"
          iconSize={14}
          onPress={() => setDraft(value)}
        />
      )}
    </div>
  );
}
