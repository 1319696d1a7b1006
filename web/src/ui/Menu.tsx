import type { ReactElement, ReactNode } from "react";
import {
  Header,
  Menu as AriaMenu,
  MenuItem as AriaMenuItem,
  MenuSection as AriaMenuSection,
  MenuTrigger,
  Popover,
  Separator,
} from "react-aria-components";
import { cx } from "./cx.ts";
import { Icon, type IconName } from "./Icon.tsx";
import { KeyCaps } from "./KeyCaps.tsx";
import styles from "./Menu.module.css";

export interface MenuEntry {
  id: string;
  label: string;
  icon?: IconName;
  keys?: string;
  danger?: boolean;
  /** Shows a mark: the choice that holds now. */
  checked?: boolean;
  onAction: () => void;
}

/** Entries in groups; a line stands between groups. Empty groups vanish. */
export type MenuGroups = { title?: string; entries: MenuEntry[] }[];

/** A button that opens a menu. The button is the first child and must be a React Aria button. */
export function MenuButton({
  label,
  groups,
  children,
  placement = "bottom start",
  onOpenChange,
}: {
  label: string;
  groups: MenuGroups;
  children: ReactElement;
  placement?: "bottom start" | "bottom end" | "top start" | "top end";
  onOpenChange?: (open: boolean) => void;
}) {
  return (
    <MenuTrigger {...(onOpenChange ? { onOpenChange } : {})}>
      {children}
      <Popover placement={placement} offset={4} className={styles["popover"] ?? ""}>
        <MenuList label={label} groups={groups} />
      </Popover>
    </MenuTrigger>
  );
}

/** A menu at a point of the screen, for right-click and long press. */
export function ContextMenu({
  label,
  groups,
  at,
  onClose,
}: {
  label: string;
  groups: MenuGroups;
  at: { x: number; y: number };
  onClose: () => void;
}) {
  return (
    <Popover
      isOpen
      isNonModal={false}
      onOpenChange={(open) => !open && onClose()}
      placement="bottom start"
      offset={0}
      getTargetRect={() => new DOMRect(at.x, at.y, 0, 0)}
      triggerRef={{ current: document.body }}
      className={styles["popover"] ?? ""}
    >
      <MenuList label={label} groups={groups} onClose={onClose} />
    </Popover>
  );
}

function MenuList({ label, groups, onClose }: { label: string; groups: MenuGroups; onClose?: () => void }) {
  const filled = groups.filter((group) => group.entries.length > 0);
  return (
    <AriaMenu aria-label={label} autoFocus="first" {...(onClose ? { onClose } : {})} className={styles["menu"] ?? ""}>
      {filled.flatMap((group, index) => [
        index > 0 && <Separator key={`line ${group.entries[0]?.id}`} className={styles["line"] ?? ""} />,
        <AriaMenuSection key={group.entries[0]?.id} aria-label={group.title ?? label}>
          {group.title && <Header className={styles["header"] ?? ""}>{group.title}</Header>}
          {group.entries.map((entry) => (
            <Entry key={entry.id} entry={entry} />
          ))}
        </AriaMenuSection>,
      ])}
    </AriaMenu>
  );
}

function Entry({ entry }: { entry: MenuEntry }): ReactNode {
  return (
    <AriaMenuItem
      id={entry.id}
      textValue={entry.label}
      onAction={entry.onAction}
      className={cx(styles["item"], entry.danger && styles["danger"])}
    >
      {entry.icon ? <Icon name={entry.icon} /> : <span className={styles["gap"]} />}
      <span className={styles["label"]}>{entry.label}</span>
      {entry.checked && <Icon name="check" />}
      {entry.keys && <KeyCaps keys={entry.keys} />}
    </AriaMenuItem>
  );
}
