import { useState } from "react";
import type { StartStep } from "../../models/session/state.ts";
import {
  forget,
  signInAgain,
  signInThroughBrowser,
  signOut,
  takeOver,
  useTurnedAway,
} from "../../models/session/session.ts";
import type { Failure } from "../../models/session/failure.ts";
import { Button } from "../../ui/Button.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { Spinner } from "../../ui/Spinner.tsx";
import { LeaveButton } from "./LeaveButton.tsx";
import { Page } from "./Page.tsx";
import { PasswordField } from "./PasswordField.tsx";
import { Providers } from "./Providers.tsx";
import { useLater } from "./useLater.ts";
import { SubmitButton } from "./SubmitButton.tsx";
import { useSubmit } from "./useSubmit.ts";
import screen from "./StateScreens.module.css";
import styles from "./form.module.css";

const STEPS: Record<StartStep, string> = {
  restoring: "Opening Parley…",
  "signing-in": "Signing in…",
  "opening-store": "Opening your messages…",
  "loading-encryption": "Loading encryption…",
  "first-sync": "Fetching your rooms…",
  "signing-out": "Signing out…",
};

/** A restored session is open before this would be worth reading, so it shows nothing at first. */
const SHOW_AFTER_MS = 400;
/** After this long a person may think that it hangs, and wants a way out. */
const OFFER_AFTER_MS = 15_000;

export function StartScreen({ step }: { step: StartStep }) {
  const visible = useLater(SHOW_AFTER_MS);
  const slow = useLater(OFFER_AFTER_MS);
  return (
    <main className={screen.start}>
      <h1 className="visuallyHidden">Parley</h1>
      {visible && <Spinner label={STEPS[step]} />}
      {slow && step !== "signing-out" && (
        <div className={screen.slow}>
          <p>This takes longer than it should. The server may not be reachable.</p>
          <LeaveButton variant="link" onLeave={() => signOut({ force: true })}>
            Sign out of this browser
          </LeaveButton>
        </div>
      )}
    </main>
  );
}

export function ElsewhereScreen() {
  const [asked, setAsked] = useState(false);
  const take = () => {
    setAsked(true);
    takeOver();
  };
  return (
    <Page
      title="Parley is open in another tab"
      intro="One tab at a time reads and writes your encryption keys. Nothing is lost when you move."
    >
      <div className={styles.row}>
        <Button variant="primary" busy={asked} onPress={take} autoFocus>
          Use here
        </Button>
      </div>
    </Page>
  );
}

export function FailedScreen({ error, unsupported }: { error: Failure; unsupported: boolean }) {
  return (
    <Page title="Parley could not start">
      <Notice tone="danger">{error.text}</Notice>
      <div className={styles.row}>
        <Button variant="primary" onPress={() => location.reload()}>
          Try again
        </Button>
        {!unsupported && <LeaveButton onLeave={() => forget("by-you")}>Sign out of this browser</LeaveButton>}
      </div>
      <p className={styles.quiet}>
        {unsupported
          ? "Nothing of yours is lost. Open this address in another browser, or in this one with its private mode and restrictions off."
          : "Signing out deletes what this browser keeps of your session. Without your recovery key or another device, encrypted messages cannot be read again."}
      </p>
    </Page>
  );
}

/** The server wants the password again; this device keeps its keys (section "Soft logout"). */
export function SignInAgain({ userId }: { userId: string }) {
  const [password, setPassword] = useState("");
  const { busy, failure, wait_s, submit, clear } = useSubmit("signIn", () => signInAgain(password));
  const other = useTurnedAway((state) => state.userId);
  return (
    <Page title="Sign in again" intro="Your session has expired. Your messages and keys are still in this browser.">
      <form className={styles.form} onSubmit={submit}>
        {other !== null && (
          <Notice tone="danger">
            You signed in as {other}. This browser keeps the messages and keys of {userId}: sign in as {userId}, or sign
            out below before somebody else signs in here.
          </Notice>
        )}
        <input type="text" name="username" autoComplete="username" value={userId} readOnly hidden />
        <p>{userId}</p>
        <PasswordField
          label="Password"
          value={password}
          onChange={(value) => (clear(), setPassword(value))}
          autoComplete="current-password"
          autoFocus
          error={failure?.field && failure.text}
        />
        {failure && !failure.field && <Notice tone="danger">{failure.text}</Notice>}
        <SubmitButton label="Sign in" busy={busy} isComplete={password !== ""} wait_s={wait_s} />
        <Button variant={failure?.isForBrowser ? "secondary" : "link"} onPress={signInThroughBrowser}>
          Use a passkey or a code
        </Button>
        <LeaveButton variant="link" onLeave={() => signOut({ force: true })}>
          Sign out and delete what this browser keeps
        </LeaveButton>
      </form>
      <Providers />
    </Page>
  );
}
