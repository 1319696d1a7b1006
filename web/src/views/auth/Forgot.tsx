import { useState } from "react";
import { Link, useLocation } from "wouter";
import { askForReset, type MailProof, resetPassword } from "../../models/session/email.ts";
import { Field } from "../../ui/Field.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { toast } from "../../ui/Toast.tsx";
import { Page } from "./Page.tsx";
import { PasswordField } from "./PasswordField.tsx";
import { SubmitButton } from "./SubmitButton.tsx";
import { useSubmit } from "./useSubmit.ts";
import styles from "./form.module.css";

const MIN_PASSWORD_CHARACTERS = 8;

/** A new password for somebody who has forgotten theirs, by a mail to an address of the account. */
export function Forgot() {
  const [asked, setAsked] = useState<{ email: string; proof: MailProof } | null>(null);
  return (
    <Page
      title="New password"
      intro={`for your account on ${location.host}`}
      footer={
        <>
          Remembered it? <Link href="/login">Sign in</Link>
        </>
      }
    >
      {asked ? <NewPassword {...asked} /> : <AskForMail onAsked={(email, proof) => setAsked({ email, proof })} />}
    </Page>
  );
}

function AskForMail({ onAsked }: { onAsked: (email: string, proof: MailProof) => void }) {
  const [email, setEmail] = useState("");
  const { busy, failure, wait_s, submit, clear } = useSubmit("resetPassword", async () =>
    onAsked(email.trim(), await askForReset(location.origin, email.trim())),
  );
  return (
    <form className={styles.form} onSubmit={submit}>
      <Field
        label="E-mail address"
        value={email}
        onChange={(value) => {
          clear();
          setEmail(value);
        }}
        hint="One that you have added to your account."
        type="email"
        autoComplete="email"
        autoCapitalize="none"
        spellCheck="false"
        autoFocus
        isRequired
        error={failure?.field === "email" && failure.text}
      />
      {failure && !failure.field && <Notice tone="danger">{failure.text}</Notice>}
      <SubmitButton label="Send me a mail" busy={busy} isComplete={email.includes("@")} wait_s={wait_s} />
    </form>
  );
}

function NewPassword({ email, proof }: { email: string; proof: MailProof }) {
  const [password, setPassword] = useState("");
  const [, go] = useLocation();
  const { busy, failure, wait_s, submit, clear } = useSubmit("resetPassword", async () => {
    await resetPassword(location.origin, proof, password);
    toast("The new password is set. Sign in with it.");
    go("/login");
  });
  return (
    <form className={styles.form} onSubmit={submit}>
      <Notice>
        A mail is on its way to {email}. Open the page in it and press the button there; then go on here. Your messages
        stay: a new device unlocks them with your recovery key.
      </Notice>
      <PasswordField
        label="New password"
        value={password}
        onChange={(value) => {
          clear();
          setPassword(value);
        }}
        hint={`At least ${MIN_PASSWORD_CHARACTERS} characters.`}
        autoComplete="new-password"
        isRequired
        error={failure?.field === "newPassword" && failure.text}
      />
      {failure && !failure.field && <Notice tone="danger">{failure.text}</Notice>}
      <SubmitButton
        label="Set the new password"
        busy={busy}
        isComplete={password.length >= MIN_PASSWORD_CHARACTERS}
        wait_s={wait_s}
      />
    </form>
  );
}
