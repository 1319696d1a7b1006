import type { MatrixClient } from "matrix-js-sdk";
import { useState } from "react";
import { judgeRecoveryKey, whatIsWrong } from "../../models/crypto/keyCheck.ts";
import { GROUPS, type KeyReading, readRecoveryKey } from "../../models/crypto/recoveryKey.ts";
import { unlockWithKey } from "../../models/crypto/unlock.ts";
import { Button } from "../../ui/Button.tsx";
import { Field } from "../../ui/Field.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { useSubmit } from "../auth/useSubmit.ts";
import form from "../auth/form.module.css";

/** Takes the recovery key, says while it is typed what is wrong with it, and unlocks this device. */
export function RecoveryKeyForm({ client, onUnlocked }: { client: MatrixClient; onUnlocked: () => void }) {
  const [typed, setTyped] = useState("");
  const [refusal, setRefusal] = useState<string | null>(null);
  const reading = readRecoveryKey(typed);
  const { busy, failure, submit, clear } = useSubmit("other", async () => {
    const verdict = await judgeRecoveryKey(client, typed);
    if (verdict.kind === "wrong") return setRefusal(verdict.text);
    if (verdict.kind === "noKey") return setRefusal("This account has no recovery key. Use one of the other ways.");
    await unlockWithKey(client, verdict);
    onUnlocked();
  });
  const edit = (value: string) => {
    clear();
    setRefusal(null);
    setTyped(value);
  };
  // A mistyped key may still be being corrected; only what is certainly wrong is said before the button is pressed.
  const live = reading.kind === "mistyped" || reading.kind === "badBeginning" ? null : whatIsWrong(reading);
  return (
    <form className={form.form} onSubmit={submit}>
      <Field
        label="Recovery key"
        value={typed}
        onChange={edit}
        mono
        rows={3}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck="false"
        autoFocus
        hint={progressOf(reading)}
        error={refusal ?? live}
      />
      {failure && <Notice tone="danger">{failure.text}</Notice>}
      <div className={form.row}>
        <Button type="submit" variant="primary" busy={busy} isDisabled={typed.trim() === ""}>
          Unlock
        </Button>
      </div>
    </form>
  );
}

function progressOf(reading: KeyReading): string {
  switch (reading.kind) {
    case "incomplete":
      return `${reading.groups} of ${GROUPS} groups`;
    case "complete":
      return `${GROUPS} of ${GROUPS} groups. The check digit fits.`;
    case "mistyped":
      return `${GROUPS} of ${GROUPS} groups, but the check digit does not fit.`;
    default:
      return "Spaces and dashes do not matter. A security phrase of another app works too.";
  }
}
