import { type FormEvent, useState } from "react";
import { Form } from "react-aria-components";
import { Button } from "../../../web/src/ui/Button.tsx";
import { Dialog } from "../../../web/src/ui/Dialog.tsx";
import { Field } from "../../../web/src/ui/Field.tsx";
import { settle, useIsAsked } from "../model/confirmation.ts";
import { sentenceOf } from "../parts/words.ts";
import { confirmPassword } from "../session.ts";

/** Asks for the password when a write needs it. The write goes on by itself afterwards. */
export function Confirm() {
  return useIsAsked() ? <Question /> : null;
}

function Question() {
  const [password, setPassword] = useState("");
  const [refusal, setRefusal] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      await confirmPassword(password);
      settle(true);
    } catch (error) {
      setRefusal(sentenceOf(error));
      setPassword("");
      setBusy(false);
    }
  };
  return (
    <Dialog
      isOpen
      size="s"
      title="Is this still you?"
      intro="Changes need your password again every 15 minutes."
      onClose={() => settle(false)}
      actions={
        <>
          <Button onPress={() => settle(false)}>Cancel</Button>
          <Button type="submit" form="confirm" variant="primary" busy={busy} isDisabled={password === ""}>
            Go on
          </Button>
        </>
      }
    >
      <Form id="confirm" onSubmit={(event) => void submit(event)}>
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
    </Dialog>
  );
}
