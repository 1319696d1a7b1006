import type { ReactElement } from "react";
import { Tooltip, TooltipTrigger } from "react-aria-components";
import { KeyCaps } from "./KeyCaps.tsx";
import styles from "./Tooltip.module.css";

/** Shows the name of an icon control after a short rest of the pointer, or at once on keyboard focus. */
export function Tip({ label, keys, children }: { label: string; keys?: string | undefined; children: ReactElement }) {
  return (
    <TooltipTrigger delay={500} closeDelay={0}>
      {children}
      <Tooltip offset={6} className={styles["tip"] ?? ""}>
        {label}
        {keys && <KeyCaps keys={keys} />}
      </Tooltip>
    </TooltipTrigger>
  );
}
