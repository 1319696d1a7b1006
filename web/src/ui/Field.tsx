import type { ReactNode, Ref } from "react";
import { FieldError, Input, Label, Text, TextArea, TextField, type TextFieldProps } from "react-aria-components";
import { cx } from "./cx.ts";
import { Icon } from "./Icon.tsx";
import styles from "./Field.module.css";

export interface FieldProps extends Omit<TextFieldProps, "className" | "children" | "style"> {
  label: string;
  /** Keeps the label for screen readers only, where the place already says what the field is. */
  hideLabel?: boolean;
  /** One line beneath the field, replaced by the error. */
  hint?: ReactNode;
  /** Says what is wrong and what to do; the field is marked invalid while it is there. */
  error?: ReactNode;
  placeholder?: string;
  /** Text in the fixed-width face: keys, identifiers, codes. */
  mono?: boolean;
  /** Text before the value, such as `#` or `@`. */
  prefix?: string;
  /** Text after the value, such as `:example.org`. */
  suffix?: string;
  /** A control at the end of the field, such as a show-password button. */
  action?: ReactNode;
  /** More than one makes it a text area of that height. */
  rows?: number;
  /** Phones: `none` for names and addresses, which are not sentences. */
  autoCapitalize?: "none" | "sentences";
  className?: string | undefined;
  inputRef?: Ref<HTMLInputElement>;
}

export function Field(props: FieldProps) {
  const {
    label,
    hideLabel,
    hint,
    error,
    placeholder,
    mono,
    prefix,
    suffix,
    action,
    rows = 1,
    className,
    inputRef,
    autoCapitalize,
    ...rest
  } = props;
  const area = rows > 1;
  return (
    <TextField
      validationBehavior="aria"
      {...rest}
      isInvalid={rest.isInvalid ?? Boolean(error)}
      className={cx(styles["field"], className)}
    >
      <Label className={hideLabel ? "visuallyHidden" : (styles["label"] ?? "")}>{label}</Label>
      <div className={cx(styles["box"], mono && styles["mono"], area && styles["area"])}>
        {prefix && <span className={styles["affix"]}>{prefix}</span>}
        {area ? (
          <TextArea rows={rows} placeholder={placeholder} className={styles["input"] ?? ""} />
        ) : (
          <Input
            ref={inputRef}
            placeholder={placeholder}
            autoCapitalize={autoCapitalize}
            className={styles["input"] ?? ""}
          />
        )}
        {suffix && <span className={styles["affix"]}>{suffix}</span>}
        {action}
      </div>
      {hint && !error && (
        <Text slot="description" className={styles["hint"] ?? ""}>
          {hint}
        </Text>
      )}
      <FieldError className={styles["error"] ?? ""}>
        {error ? (
          <>
            <Icon name="alert" size={14} />
            <span>{error}</span>
          </>
        ) : undefined}
      </FieldError>
    </TextField>
  );
}
