import type { MatrixClient } from "matrix-js-sdk";
import { useState } from "react";
import { deactivateAccount, localPart } from "../../models/session/account.ts";
import { forget } from "../../models/session/session.ts";
import { Button } from "../../ui/Button.tsx";
import { Field } from "../../ui/Field.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { useSubmit } from "../auth/useSubmit.ts";
import styles from "./ProfileTab.module.css";

export function DeactivateForm({ client }: { client: MatrixClient }) {
  const [typed, setTyped] = useState("");
  const name = localPart(client.getSafeUserId());
  const { busy, failure, submit } = useSubmit("other", async () => {
    await deactivateAccount(client);
    await forget("deactivated");
  });
  return (
    <form className={styles.narrow} onSubmit={submit}>
      <Field
        label={`Type “${name}” to confirm`}
        value={typed}
        onChange={setTyped}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck="false"
      />
      {failure && <Notice tone="danger">{failure.text}</Notice>}
      <div>
        <Button type="submit" variant="danger" busy={busy} isDisabled={typed !== name}>
          Deactivate my account
        </Button>
      </div>
    </form>
  );
}
