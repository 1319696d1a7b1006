import { useState } from "react";
import { type Page, type PasswordQuestion, usePasswordQuestion } from "../../models/session/uia.ts";
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

const PAGES: Record<Page["kind"], { title: string; intro: (purpose: string) => string; link: string; done: string }> = {
  account: {
    title: "Confirm on your account page",
    intro: (purpose) => `Your account has a second factor. Allow it on the server's page to ${purpose}.`,
    link: "Open the account page",
    done: "I have allowed it",
  },
  provider: {
    title: "Confirm who you are",
    intro: (purpose) => `Your account has no password. Sign in with your provider once more to ${purpose}.`,
    link: "Sign in with your provider",
    done: "I have signed in",
  },
};

/** Where it is not the password: a page of the server asks for whatever it takes. */
function PageDialog({ question, page }: { question: PasswordQuestion; page: Page }) {
  const { title, intro, link, done } = PAGES[page.kind];
  const cancel = () => question.answer(null);
  return (
    <Dialog
      title={title}
      intro={intro(question.purpose)}
      isOpen
      onClose={cancel}
      size="s"
      actions={
        <>
          <Button onPress={cancel}>Cancel</Button>
          <Button variant="primary" busy={question.checking} onPress={() => question.answer("")}>
            {done}
          </Button>
        </>
      }
    >
      {question.refusal && !question.checking && <Notice tone="danger">{question.refusal}</Notice>}
      <p>
        <a href={page.url} target="_blank" rel="noreferrer">
          {link}
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
