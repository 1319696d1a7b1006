import { useState } from "react";
import { Button } from "../../ui/Button.tsx";
import { Field } from "../../ui/Field.tsx";
import { useSubmit } from "../auth/useSubmit.ts";
import styles from "./DevicesTab.module.css";

/** A name in place: Enter saves, Escape leaves it. */
export function RenameForm(props: { name: string; onSave: (name: string) => Promise<void>; onCancel: () => void }) {
  const { onSave, onCancel } = props;
  const [name, setName] = useState(props.name);
  const { busy, failure, submit } = useSubmit("other", () => onSave(name.trim()));
  return (
    <form className={styles.rename} onSubmit={submit}>
      <Field
        label="Name of the device"
        hideLabel
        value={name}
        onChange={setName}
        onKeyDown={(event) => event.key === "Escape" && onCancel()}
        maxLength={100}
        autoFocus
        error={failure?.text}
      />
      <Button type="submit" busy={busy} isDisabled={name.trim() === ""}>
        Save
      </Button>
      <Button variant="quiet" onPress={onCancel}>
        Cancel
      </Button>
    </form>
  );
}
