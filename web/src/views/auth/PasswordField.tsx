import { useState } from "react";
import { IconButton } from "../../ui/Button.tsx";
import { Field, type FieldProps } from "../../ui/Field.tsx";

/** A password that can be looked at while it is typed. */
export function PasswordField(props: Omit<FieldProps, "type" | "action">) {
  const [shown, setShown] = useState(false);
  return (
    <Field
      {...props}
      type={shown ? "text" : "password"}
      spellCheck="false"
      autoCapitalize="none"
      action={
        <IconButton
          icon={shown ? "eyeOff" : "eye"}
          label={shown ? "Hide the password" : "Show the password"}
          size="compact"
          onPress={() => setShown(!shown)}
        />
      }
    />
  );
}
