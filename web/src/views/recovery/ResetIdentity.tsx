import type { MatrixClient } from "matrix-js-sdk";
import { useState } from "react";
import { RESET_WORD, resetIdentity } from "../../models/crypto/reset.ts";
import { reopenSetup } from "../../models/session/session.ts";
import { Button } from "../../ui/Button.tsx";
import { Field } from "../../ui/Field.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { Page } from "../auth/Page.tsx";
import { useSubmit } from "../auth/useSubmit.ts";
import form from "../auth/form.module.css";
import styles from "./ResetIdentity.module.css";

/** A new identity, with what it costs said before. */
export function ResetIdentity({ client, onBack }: { client: MatrixClient; onBack: () => void }) {
  const [typed, setTyped] = useState("");
  const { busy, failure, submit } = useSubmit("other", async () => {
    await resetIdentity(client);
    reopenSetup("create");
  });
  return (
    <Page title="Start with a new identity" width="wide">
      <ul className={styles.consequences}>
        <li>
          Encrypted messages from before now cannot be read on this device, and the backup of their keys is deleted.
        </li>
        <li>Your contacts see that you have a new identity. Those who verified you are asked to do it again.</li>
        <li>Your other devices have to be verified again.</li>
        <li>Your rooms, your name and your memberships stay.</li>
      </ul>
      <Notice>
        If another device of yours is still signed in somewhere, use that one instead: nothing is lost then.
      </Notice>
      <form className={form.form} onSubmit={submit}>
        <Field
          label={`Type “${RESET_WORD}” to confirm`}
          value={typed}
          onChange={setTyped}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck="false"
        />
        {failure && <Notice tone="danger">{failure.text}</Notice>}
        <div className={form.row}>
          <Button
            type="submit"
            variant="danger"
            size="large"
            busy={busy}
            isDisabled={typed.trim().toLowerCase() !== RESET_WORD}
          >
            Start with a new identity
          </Button>
          <Button size="large" onPress={onBack} isDisabled={busy}>
            Back
          </Button>
        </div>
      </form>
    </Page>
  );
}
