import type { ReactNode, Ref } from "react";
import { Button as AriaButton, type ButtonProps as AriaButtonProps } from "react-aria-components";
import { cx } from "./cx.ts";
import { Icon, type IconName } from "./Icon.tsx";
import { Spinner } from "./Spinner.tsx";
import { Tip } from "./Tooltip.tsx";
import styles from "./Button.module.css";

export interface ButtonProps extends Omit<AriaButtonProps, "className" | "children" | "style"> {
  /** `primary` at most once in a view; `danger` for what cannot be undone; `quiet` has no edge; `link` reads as text. */
  variant?: "primary" | "secondary" | "quiet" | "danger" | "link";
  size?: "compact" | "default" | "large";
  icon?: IconName;
  /** Shows a spinner and ignores presses; the label stays, so the width does not jump. */
  busy?: boolean;
  /** Takes the whole width of its container. */
  wide?: boolean;
  className?: string | undefined;
  children: ReactNode;
  ref?: Ref<HTMLButtonElement>;
}

export function Button({
  variant = "secondary",
  size = "default",
  icon,
  busy,
  wide,
  className,
  children,
  ...rest
}: ButtonProps) {
  return (
    <AriaButton
      {...rest}
      isPending={busy ?? false}
      className={cx(styles["button"], styles[variant], styles[size], wide && styles["wide"], className)}
    >
      {busy ? <Spinner size={14} /> : icon && <Icon name={icon} size={size === "compact" ? 14 : 16} />}
      {children}
    </AriaButton>
  );
}

export interface IconButtonProps extends Omit<AriaButtonProps, "className" | "children" | "style"> {
  icon: IconName;
  /** The name for screen readers and the tooltip. */
  label: string;
  /** Key caps shown in the tooltip, such as `Ctrl K`. */
  keys?: string;
  size?: "compact" | "default";
  iconSize?: 14 | 16 | 20;
  pressed?: boolean;
  className?: string | undefined;
  ref?: Ref<HTMLButtonElement>;
}

/** A square button with an icon only; it always has a name, and a tooltip that shows it. */
export function IconButton({
  icon,
  label,
  keys,
  size = "default",
  iconSize = 16,
  pressed,
  className,
  ...rest
}: IconButtonProps) {
  return (
    <Tip label={label} keys={keys}>
      <AriaButton
        {...rest}
        aria-label={label}
        {...(pressed === undefined ? {} : { "aria-pressed": pressed })}
        className={cx(styles["icon"], styles[size], pressed && styles["pressed"], className)}
      >
        <Icon name={icon} size={iconSize} />
      </AriaButton>
    </Tip>
  );
}
