import { type FormEvent, useState } from "react";
import { Form } from "react-aria-components";
import { Button } from "../../../web/src/ui/Button.tsx";
import { Field } from "../../../web/src/ui/Field.tsx";
import { Notice } from "../../../web/src/ui/Notice.tsx";
import { Problem } from "../api.ts";
import { sentenceOf } from "../parts/words.ts";
import { signIn, useWays } from "../session.ts";
import { CodeField } from "./CodeField.tsx";
import { signInAddress } from "./pages.ts";
import styles from "./SignIn.module.css";

interface SignInProps {
  /** Why another way in has just failed. */
  refused?: unknown;
  /** Called when somebody is in, before the console is shown. */
  goOn?: () => void;
}

/** The door of the console. The address stays unless `goOn` changes it, so whoever followed a link arrives there. */
export function SignIn({ refused = null, goOn }: SignInProps) {
  const [user, setUser] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [needsCode, setNeedsCode] = useState(false);
  const [refusal, setRefusal] = useState<unknown>(refused);
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setRefusal(null);
    try {
      await signIn({ user: user.trim(), password, ...(needsCode && { code }) }, goOn);
    } catch (error) {
      const isHalf = error instanceof Problem && error.errcode === "IO_PARLEY_SECOND_FACTOR";
      if (isHalf) setNeedsCode(true);
      else setRefusal(error);
      if (!isHalf && !needsCode) setPassword("");
      setCode("");
      setBusy(false);
    }
  };
  return (
    <main className={styles["page"]}>
      <title>Sign in · Parley console</title>
      <Form className={styles["form"] ?? ""} onSubmit={(event) => void submit(event)}>
        <h1 className={styles["title"]}>Parley console</h1>
        <p className={styles["intro"]}>For operators of this server. Message content is never visible here.</p>
        {refusal !== null && <Refused error={refusal} />}
        <Field
          label="User name"
          value={user}
          onChange={setUser}
          autoComplete="username"
          autoCapitalize="none"
          autoFocus
          isRequired
        />
        <Field
          label="Password"
          type="password"
          value={password}
          onChange={setPassword}
          autoComplete="current-password"
          isRequired
        />
        {needsCode && <CodeField value={code} onChange={setCode} />}
        <Button type="submit" variant="primary" size="large" wide busy={busy}>
          Sign in
        </Button>
        <OtherWays />
      </Form>
    </main>
  );
}

/** Why nobody came in, and what they do about it. */
function Refused({ error }: { error: unknown }) {
  const setUp = pageOfFactors(error);
  return (
    <>
      <Notice tone="danger">{sentenceOf(error)}</Notice>
      {setUp && (
        <p className={styles["intro"]}>
          <a href={setUp}>Set up codes from an app</a>
        </p>
      )}
    </>
  );
}

/** Where an operator who owes a second factor sets one up; empty for every other refusal, and for what is no address of a page. */
function pageOfFactors(error: unknown): string {
  if (!(error instanceof Problem)) return "";
  const told = error.fields["io.parley.second_factor"] as { set_up?: unknown } | undefined;
  return typeof told?.set_up === "string" && /^https?:/.test(told.set_up) ? told.set_up : "";
}

/** Links, since they lead out of the console: to the server's own sign-in pages, and to providers. */
function OtherWays() {
  const { data: ways } = useWays();
  if (!ways?.pages) return null;
  return (
    <nav className={styles["ways"]} aria-label="Other ways to sign in">
      {ways.providers.map(({ id, name }) => (
        <a key={id} href={signInAddress(id)}>
          Continue with {name}
        </a>
      ))}
      <a href={signInAddress()}>Sign in with a passkey</a>
    </nav>
  );
}
