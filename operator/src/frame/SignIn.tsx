import { type FormEvent, useState } from "react";
import { Form } from "react-aria-components";
import { Button } from "../../../web/src/ui/Button.tsx";
import { Field } from "../../../web/src/ui/Field.tsx";
import { Notice } from "../../../web/src/ui/Notice.tsx";
import { sentenceOf } from "../parts/words.ts";
import { signIn } from "../session.ts";
import styles from "./SignIn.module.css";

/** The door of the console. The address stays, so whoever followed a link arrives there. */
export function SignIn() {
  const [user, setUser] = useState("");
  const [password, setPassword] = useState("");
  const [refusal, setRefusal] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setRefusal("");
    try {
      await signIn(user.trim(), password);
    } catch (error) {
      setRefusal(sentenceOf(error));
      setPassword("");
      setBusy(false);
    }
  };
  return (
    <main className={styles["page"]}>
      <title>Sign in · Parley console</title>
      <Form className={styles["form"] ?? ""} onSubmit={(event) => void submit(event)}>
        <h1 className={styles["title"]}>Parley console</h1>
        <p className={styles["intro"]}>For operators of this server. Message content is never visible here.</p>
        {refusal && <Notice tone="danger">{refusal}</Notice>}
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
        <Button type="submit" variant="primary" size="large" wide busy={busy}>
          Sign in
        </Button>
      </Form>
    </main>
  );
}
