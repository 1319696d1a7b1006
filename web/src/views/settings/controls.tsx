import type { ReactNode } from "react";
import { Label, Radio, RadioGroup, Switch } from "react-aria-components";
import styles from "./controls.module.css";

/** A titled part of a settings page. */
export function Section({ title, intro, children }: { title: string; intro?: ReactNode; children: ReactNode }) {
  return (
    <section className={styles.section} aria-label={title}>
      <h2 className={styles.title}>{title}</h2>
      {intro && <p className={styles.intro}>{intro}</p>}
      {children}
    </section>
  );
}

/** A line with a name, what it does, and a switch. */
export function SwitchRow(props: {
  label: string;
  hint?: string;
  on: boolean;
  disabled?: boolean;
  onChange: (on: boolean) => void;
}) {
  return (
    <Switch
      className={styles.switchRow ?? ""}
      isSelected={props.on}
      isDisabled={props.disabled ?? false}
      onChange={props.onChange}
    >
      <span className={styles.words}>
        <span>{props.label}</span>
        {props.hint && <span className={styles.hint}>{props.hint}</span>}
      </span>
      <span className={styles.track} aria-hidden="true">
        <span className={styles.thumb} />
      </span>
    </Switch>
  );
}

/** One of a few; all of them are in sight. */
export function Choice<T extends string>(props: {
  label: string;
  options: { value: T; label: string }[];
  value: T;
  onChange: (value: T) => void;
}) {
  const onChange = (value: string) => {
    const chosen = props.options.find((option) => option.value === value);
    if (chosen) props.onChange(chosen.value);
  };
  return (
    <RadioGroup className={styles.choice ?? ""} orientation="horizontal" value={props.value} onChange={onChange}>
      <Label className={styles.choiceLabel ?? ""}>{props.label}</Label>
      <div className={styles.segments}>
        {props.options.map((option) => (
          <Radio key={option.value} value={option.value} className={styles.segment ?? ""}>
            {option.label}
          </Radio>
        ))}
      </div>
    </RadioGroup>
  );
}
