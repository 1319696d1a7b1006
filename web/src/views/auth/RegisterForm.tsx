import { useState } from "react";
import type { Failure } from "../../models/session/failure.ts";
import { type Accepted, areAccepted, type Policy } from "../../models/session/policies.ts";
import { register } from "../../models/session/session.ts";
import { Field } from "../../ui/Field.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { PasswordField } from "./PasswordField.tsx";
import { PolicyBoxes } from "./PolicyBoxes.tsx";
import { SubmitButton } from "./SubmitButton.tsx";
import { useSubmit } from "./useSubmit.ts";
import { useUserName } from "./useUserName.ts";
import styles from "./form.module.css";

const MIN_PASSWORD_CHARACTERS = 8;

export function RegisterForm({
  token,
  policies,
  needsToken,
  note,
}: {
  token: string | null;
  /** What an account here needs to be accepted. */
  policies: readonly Policy[];
  needsToken: boolean;
  note?: string;
}) {
  const [userName, setUserName] = useState("");
  const [password, setPassword] = useState("");
  const [typedToken, setTypedToken] = useState("");
  const [accepted, setAccepted] = useState<Accepted>({});
  const usedToken = token ?? tokenOf(typedToken);
  const { busy, failure, wait_s, submit, clear } = useSubmit("register", () =>
    register({ userName, password, accepted, ...(usedToken !== "" && { token: usedToken }) }),
  );
  // Not while the form is being sent: the name would then be taken by the person themselves.
  const name = useUserName(busy ? "" : userName);
  const edit =
    <T,>(set: (value: T) => void) =>
    (value: T) => {
      clear();
      set(value);
    };
  const tooShort = password.length < MIN_PASSWORD_CHARACTERS;
  const filled = userName !== "" && name.state !== "refused" && !tooShort && (!needsToken || usedToken !== "");
  const complete = filled && areAccepted(policies, accepted);
  return (
    <form className={styles.form} onSubmit={submit}>
      {note && <Notice tone="ok">{note}</Notice>}
      {needsToken && <TokenField value={typedToken} onChange={edit(setTypedToken)} failure={failure} />}
      <Field
        label="User name"
        value={userName}
        onChange={edit((value) => setUserName(value.trim().toLowerCase()))}
        hint={name.state === "free" ? "This name is free." : "Small letters, digits and . _ = / + -"}
        autoComplete="username"
        autoCapitalize="none"
        spellCheck="false"
        autoFocus
        isRequired
        error={failure?.field === "userName" ? failure.text : name.state === "refused" && name.text}
      />
      <NewPassword value={password} onChange={edit(setPassword)} failure={failure} />
      <PolicyBoxes policies={policies} accepted={accepted} onChange={edit(setAccepted)} />
      {failure && (!failure.field || (failure.field === "token" && !needsToken)) && (
        <Notice tone="danger">{failure.text}</Notice>
      )}
      <SubmitButton label="Create account" busy={busy} isComplete={complete} wait_s={wait_s} />
    </form>
  );
}

interface FormField {
  value: string;
  onChange: (value: string) => void;
  failure: Failure | null;
}

function NewPassword({ value, onChange, failure }: FormField) {
  const [left, setLeft] = useState(false);
  const tooShort = left && value !== "" && value.length < MIN_PASSWORD_CHARACTERS;
  return (
    <PasswordField
      label="Password"
      value={value}
      onChange={onChange}
      onBlur={() => setLeft(true)}
      hint={`At least ${MIN_PASSWORD_CHARACTERS} characters.`}
      autoComplete="new-password"
      isRequired
      error={
        failure?.field === "newPassword"
          ? failure.text
          : tooShort && `Use at least ${MIN_PASSWORD_CHARACTERS} characters.`
      }
    />
  );
}

function TokenField(props: FormField) {
  return (
    <Field
      label="Registration link or code"
      value={props.value}
      onChange={props.onChange}
      hint="You get it from the administrator of this server."
      isRequired
      error={props.failure?.field === "token" && props.failure.text}
    />
  );
}

/** The token in what a person pasted: a whole link, or the code alone. */
function tokenOf(text: string): string {
  const trimmed = text.trim();
  return URL.parse(trimmed)?.searchParams.get("token") ?? trimmed;
}
