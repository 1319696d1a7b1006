import { Field } from "../../../web/src/ui/Field.tsx";

interface CodeFieldProps {
  value: string;
  onChange: (value: string) => void;
  error?: string | undefined;
}

/** For the code of an account with a second factor. It appears once the password was right, and has the focus then. */
export function CodeField({ value, onChange, error }: CodeFieldProps) {
  return (
    <Field
      label="Code"
      hint="From the app that makes your codes, or one of your recovery codes."
      value={value}
      onChange={onChange}
      error={error}
      autoComplete="one-time-code"
      autoCapitalize="none"
      autoFocus
      isRequired
    />
  );
}
