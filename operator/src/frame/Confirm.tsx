import { type FormEvent, useCallback, useEffect, useState } from "react";
import { Form } from "react-aria-components";
import { Button } from "../../../web/src/ui/Button.tsx";
import { Dialog } from "../../../web/src/ui/Dialog.tsx";
import { Field } from "../../../web/src/ui/Field.tsx";
import { Notice } from "../../../web/src/ui/Notice.tsx";
import { Problem } from "../api.ts";
import { settle, useIsAsked } from "../model/confirmation.ts";
import { sentenceOf } from "../parts/words.ts";
import { confirmFromPages, confirmPassword, useSession, useWays } from "../session.ts";
import { CodeField } from "./CodeField.tsx";
import { openSignIn, whenSignedIn } from "./pages.ts";
import styles from "./Confirm.module.css";

/** Asks who it is when a write needs that. The write goes on by itself afterwards. */
export function Confirm() {
  const { data: session } = useSession();
  if (!useIsAsked()) return null;
  return session?.has_password === false ? <ByPages /> : <ByPassword />;
}

/** Ends the question with a proof that the server takes; a sign-in in another window is one. */
function useProof() {
  const [refusal, setRefusal] = useState("");
  const [busy, setBusy] = useState(false);
  /** The password was right, and is half of what the account needs. */
  const [needsCode, setNeedsCode] = useState(false);
  const prove = useCallback(async (proof: Promise<void>, onRefused?: () => void) => {
    setBusy(true);
    setRefusal("");
    try {
      await proof;
      settle(true);
    } catch (error) {
      const isHalf = error instanceof Problem && error.errcode === "IO_PARLEY_SECOND_FACTOR";
      if (isHalf) setNeedsCode(true);
      else {
        setRefusal(sentenceOf(error));
        onRefused?.();
      }
      setBusy(false);
    }
  }, []);
  useEffect(() => whenSignedIn(() => void prove(confirmFromPages())), [prove]);
  return { refusal, busy, needsCode, prove };
}

const TITLE = "Is this still you?";
const cancel = <Button onPress={() => settle(false)}>Cancel</Button>;

function ByPassword() {
  const { refusal, busy, needsCode, prove } = useProof();
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const hasOthers = useWays().data?.pages ?? false;
  const isWhole = password !== "" && (!needsCode || code !== "");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    // The password stays while the code is asked for, and while that is wrong.
    void prove(confirmPassword({ password, ...(needsCode && { code }) }), () =>
      needsCode ? setCode("") : setPassword(""),
    );
  };
  return (
    <Dialog
      isOpen
      size="s"
      title={TITLE}
      intro="Changes need your password again every 15 minutes."
      onClose={() => settle(false)}
      actions={
        <>
          {cancel}
          <Button type="submit" form="confirm" variant="primary" busy={busy} isDisabled={!busy && !isWhole}>
            Go on
          </Button>
        </>
      }
    >
      <Form id="confirm" className={styles["form"] ?? ""} onSubmit={submit}>
        <Field
          label="Password"
          type="password"
          value={password}
          onChange={setPassword}
          error={needsCode ? undefined : refusal}
          autoComplete="current-password"
          autoFocus
        />
        {needsCode && <CodeField value={code} onChange={setCode} error={refusal} />}
      </Form>
      {hasOthers && (
        <Button variant="link" onPress={openSignIn}>
          Use a passkey or another way
        </Button>
      )}
    </Dialog>
  );
}

/** For an account without a password. */
function ByPages() {
  const { refusal, busy } = useProof();
  return (
    <Dialog
      isOpen
      size="s"
      title={TITLE}
      intro="Changes need you to sign in again every 15 minutes. Do that in the window that opens, and it goes on here."
      onClose={() => settle(false)}
      actions={
        <>
          {cancel}
          <Button variant="primary" busy={busy} onPress={openSignIn} autoFocus>
            Sign in again
          </Button>
        </>
      }
    >
      {refusal && <Notice tone="danger">{refusal}</Notice>}
    </Dialog>
  );
}
