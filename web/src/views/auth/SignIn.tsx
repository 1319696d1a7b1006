import { useState } from "react";
import { Link } from "wouter";
import { unsentLost } from "../../models/session/loss.ts";
import { signIn, signInThroughBrowser } from "../../models/session/session.ts";
import type { SignedOutReason } from "../../models/session/state.ts";
import { Button } from "../../ui/Button.tsx";
import { Field } from "../../ui/Field.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { Page } from "./Page.tsx";
import { PasswordField } from "./PasswordField.tsx";
import { Providers } from "./Providers.tsx";
import { SubmitButton } from "./SubmitButton.tsx";
import { useSubmit } from "./useSubmit.ts";
import styles from "./form.module.css";

const REASONS: Record<SignedOutReason, string | null> = {
  "removed-elsewhere": "This session was signed out from another device. Nothing of it is left in this browser.",
  deactivated: "The account is deactivated. Nothing of it is left in this browser.",
  "by-you": null,
};

const SECOND_FACTOR =
  "The password is right. This account also has a second factor: sign in on the server's page, which asks for it, and you come back here.";

export function SignIn({ reason, lost = 0 }: { reason?: SignedOutReason; lost?: number }) {
  const [userName, setUserName] = useState("");
  const [password, setPassword] = useState("");
  const { busy, failure, wait_s, submit, clear } = useSubmit("signIn", () => signIn(userName.trim(), password));
  const complete = userName.trim() !== "" && password !== "";
  const note = reason && REASONS[reason];
  const loss = unsentLost(lost);
  const edit = (set: (value: string) => void) => (value: string) => {
    clear();
    set(value);
  };
  return (
    <Page
      title="Sign in"
      intro={`to ${location.host}`}
      footer={
        <>
          New here? <Link href="/register">Create an account</Link>
          <br />
          <Link href="/forgot">Forgot your password?</Link>
        </>
      }
    >
      {note && <Notice>{note}</Notice>}
      {loss && <Notice tone="danger">{loss}</Notice>}
      <form className={styles.form} onSubmit={submit}>
        <Field
          label="User name"
          value={userName}
          onChange={edit(setUserName)}
          autoComplete="username"
          autoCapitalize="none"
          spellCheck="false"
          autoFocus
          isRequired
          error={failure?.field === "userName" && failure.text}
        />
        <PasswordField
          label="Password"
          value={password}
          onChange={edit(setPassword)}
          autoComplete="current-password"
          isRequired
          error={failure?.field === "password" && failure.text}
        />
        {failure?.isForBrowser && <Notice>{SECOND_FACTOR}</Notice>}
        {failure && !failure.field && !failure.isForBrowser && <Notice tone="danger">{failure.text}</Notice>}
        {failure?.isForBrowser ? (
          <Button variant="primary" size="large" wide onPress={signInThroughBrowser}>
            Continue in the browser
          </Button>
        ) : (
          <>
            <SubmitButton label="Sign in" busy={busy} isComplete={complete} wait_s={wait_s} />
            <Button variant="link" onPress={signInThroughBrowser}>
              Use a passkey or a code
            </Button>
          </>
        )}
      </form>
      <Providers />
    </Page>
  );
}
