import { useState } from "react";
import { type PasswordQuestion, usePasswordQuestion } from "../../models/session/uia.ts";
import { Button } from "../../ui/Button.tsx";
import { Dialog } from "../../ui/Dialog.tsx";
import { PasswordField } from "./PasswordField.tsx";
import styles from "./form.module.css";

/** The one dialog in which a password confirms something. It stays until the password is right or it is closed. */
export function PasswordPrompt() {
  const { question } = usePasswordQuestion();
  return question && <PasswordDialog question={question} />;
}

function PasswordDialog({ question }: { question: PasswordQuestion }) {
  const [password, setPassword] = useState("");
  const cancel = () => question.answer(null);
  return (
    <Dialog
      title="Confirm with your password"
      intro={`Your password is needed to ${question.purpose}.`}
      isOpen
      onClose={cancel}
      size="s"
      actions={
        <>
          <Button onPress={cancel}>Cancel</Button>
          <Button
            variant="primary"
            type="submit"
            form="confirm-password"
            busy={question.checking}
            isDisabled={password === ""}
          >
            Confirm
          </Button>
        </>
      }
    >
      <form
        id="confirm-password"
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          question.answer(password);
        }}
      >
        <PasswordField
          label="Password"
          value={password}
          onChange={setPassword}
          autoComplete="current-password"
          autoFocus
          error={!question.checking && question.refusal}
        />
      </form>
    </Dialog>
  );
}
