import { useState } from "react";
import { type PasswordQuestion, usePasswordQuestion } from "../../models/session/uia.ts";
import { Button } from "../../ui/Button.tsx";
import { Dialog } from "../../ui/Dialog.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { PasswordField } from "./PasswordField.tsx";
import styles from "./form.module.css";

/** The one dialog in which a password confirms something. It stays until the password is right or it is closed. */
export function PasswordPrompt() {
  const { question } = usePasswordQuestion();
  if (!question) return null;
  return question.page === undefined ? (
    <PasswordDialog question={question} />
  ) : (
    <PageDialog question={question} page={question.page} />
  );
}

/** For an account with a second factor: the server's own page asks for whatever it takes. */
function PageDialog({ question, page }: { question: PasswordQuestion; page: string }) {
  const cancel = () => question.answer(null);
  return (
    <Dialog
      title="Confirm on your account page"
      intro={`Your account has a second factor. Allow it on the server's page to ${question.purpose}.`}
      isOpen
      onClose={cancel}
      size="s"
      actions={
        <>
          <Button onPress={cancel}>Cancel</Button>
          <Button variant="primary" busy={question.checking} onPress={() => question.answer("")}>
            I have allowed it
          </Button>
        </>
      }
    >
      {question.refusal && !question.checking && <Notice tone="danger">{question.refusal}</Notice>}
      <p>
        <a href={page} target="_blank" rel="noreferrer">
          Open the account page
        </a>
      </p>
    </Dialog>
  );
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
