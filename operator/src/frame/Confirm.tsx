import { type FormEvent, useCallback, useEffect, useState } from "react";
import { Form } from "react-aria-components";
import { Button } from "../../../web/src/ui/Button.tsx";
import { Dialog } from "../../../web/src/ui/Dialog.tsx";
import { Field } from "../../../web/src/ui/Field.tsx";
import { Notice } from "../../../web/src/ui/Notice.tsx";
import { settle, useIsAsked } from "../model/confirmation.ts";
import { sentenceOf } from "../parts/words.ts";
import { confirmFromPages, confirmPassword, useSession, useWays } from "../session.ts";
import { openSignIn, whenSignedIn } from "./pages.ts";

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
  const prove = useCallback(async (proof: Promise<void>) => {
    setBusy(true);
    setRefusal("");
    try {
      await proof;
      settle(true);
    } catch (error) {
      setRefusal(sentenceOf(error));
      setBusy(false);
    }
  }, []);
  useEffect(() => whenSignedIn(() => void prove(confirmFromPages())), [prove]);
  return { refusal, busy, prove };
}

const TITLE = "Is this still you?";
const cancel = <Button onPress={() => settle(false)}>Cancel</Button>;

function ByPassword() {
  const { refusal, busy, prove } = useProof();
  const [password, setPassword] = useState("");
  const hasOthers = useWays().data?.pages ?? false;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setPassword("");
    void prove(confirmPassword(password));
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
          <Button type="submit" form="confirm" variant="primary" busy={busy} isDisabled={!busy && password === ""}>
            Go on
          </Button>
        </>
      }
    >
      <Form id="confirm" onSubmit={submit}>
        <Field
          label="Password"
          type="password"
          value={password}
          onChange={setPassword}
          error={refusal}
          autoComplete="current-password"
          autoFocus
        />
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
