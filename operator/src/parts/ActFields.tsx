import { Label, Radio, RadioGroup } from "react-aria-components";
import { Field } from "../../../web/src/ui/Field.tsx";
import type { ActField, Values } from "./acts.ts";
import styles from "./ActDialog.module.css";

/** The fields of an act. The first one has the focus. */
export function ActFields({
  fields,
  values,
  onChange,
}: {
  fields: readonly ActField[];
  values: Values;
  onChange: (values: Values) => void;
}) {
  return fields.map((field, index) => (
    <OneField
      key={field.name}
      field={field}
      value={values[field.name] ?? ""}
      onChange={(value) => onChange({ ...values, [field.name]: value })}
      isFirst={index === 0}
    />
  ));
}

interface OneFieldProps {
  field: ActField;
  value: string;
  onChange: (value: string) => void;
  isFirst: boolean;
}

function OneField({ field, value, onChange, isFirst }: OneFieldProps) {
  const { label, hint, options, kind = "text", isOptional } = field;
  if (options)
    return (
      <RadioGroup value={value} onChange={onChange} className={styles["choice"] ?? ""}>
        <Label className={styles["label"] ?? ""}>{label}</Label>
        {options.map((option) => (
          <Radio key={option.value} value={option.value} className={styles["option"] ?? ""}>
            <span className={styles["dot"]} />
            <span>
              {option.label}
              {option.hint && <span className={styles["optionHint"]}>{option.hint}</span>}
            </span>
          </Radio>
        ))}
      </RadioGroup>
    );
  return (
    <Field
      label={isOptional ? `${label} (optional)` : label}
      hint={hint}
      value={value}
      onChange={onChange}
      type={kind === "area" ? "text" : kind}
      rows={kind === "area" ? 5 : 1}
      autoCapitalize="none"
      autoComplete={kind === "password" ? "new-password" : "off"}
      autoFocus={isFirst}
    />
  );
}
