import type { MatrixClient } from "matrix-js-sdk";
import { useState } from "react";
import { changePassword } from "../../models/session/account.ts";
import { Button } from "../../ui/Button.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { toast } from "../../ui/Toast.tsx";
import { PasswordField } from "../auth/PasswordField.tsx";
import { useSubmit } from "../auth/useSubmit.ts";
import { SwitchRow } from "./controls.tsx";
import styles from "./ProfileTab.module.css";

export function PasswordForm({ client }: { client: MatrixClient }) {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [signOutOthers, setSignOutOthers] = useState(true);
  const { busy, failure, wait_s, submit } = useSubmit("confirmPassword", async () => {
    await changePassword(client, { current, next, signOutOthers });
    setCurrent("");
    setNext("");
    toast("Your password is changed");
  });
  return (
    <form className={styles.narrow} onSubmit={submit}>
      <input type="text" name="username" autoComplete="username" value={client.getSafeUserId()} readOnly hidden />
      <PasswordField
        label="Present password"
        value={current}
        onChange={setCurrent}
        autoComplete="current-password"
        error={failure?.field === "password" && failure.text}
      />
      <PasswordField
        label="New password"
        value={next}
        onChange={setNext}
        autoComplete="new-password"
        hint="At least 8 characters."
        error={failure?.field === "newPassword" && failure.text}
      />
      <SwitchRow
        label="Sign out my other devices"
        hint="Do this when somebody else may know the old password."
        on={signOutOthers}
        onChange={setSignOutOthers}
      />
      {failure && !failure.field && <Notice tone="danger">{failure.text}</Notice>}
      <div>
        <Button type="submit" busy={busy} isDisabled={current === "" || next.length < 8 || wait_s > 0}>
          {wait_s > 0 ? `Try again in ${wait_s} s` : "Change password"}
        </Button>
      </div>
    </form>
  );
}
