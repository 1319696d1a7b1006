import {
  Header,
  Menu as AriaMenu,
  MenuItem as AriaMenuItem,
  MenuSection as AriaMenuSection,
  Popover,
  Separator,
} from "react-aria-components";
import { cx } from "./cx.ts";
import { Icon } from "./Icon.tsx";
import { KeyCaps } from "./KeyCaps.tsx";
import type { MenuEntry, MenuGroups } from "./Menu.tsx";
import styles from "./Menu.module.css";

/** Beside an element, or at a point of the screen. */
export type MenuPlace =
  | { anchor: Element; placement: "bottom start" | "bottom end" | "top start" | "top end" }
  | { at: { x: number; y: number } };

export interface MenuPopoverProps {
  label: string;
  groups: MenuGroups;
  place: MenuPlace;
  onClose: () => void;
}

/** The open menu. Focus goes into it and back to where it was. */
export function MenuPopover({ label, groups, place, onClose }: MenuPopoverProps) {
  const filled = groups.filter((group) => group.entries.length > 0);
  return (
    <Popover
      isOpen
      onOpenChange={(open) => !open && onClose()}
      {...placeProps(place)}
      className={styles["popover"] ?? ""}
    >
      <AriaMenu aria-label={label} autoFocus="first" onClose={onClose} className={styles["menu"] ?? ""}>
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
    </Popover>
  );
}

function placeProps(place: MenuPlace) {
  if ("anchor" in place) return { triggerRef: { current: place.anchor }, placement: place.placement, offset: 4 };
  const { x, y } = place.at;
  return {
    triggerRef: { current: document.body },
    getTargetRect: () => new DOMRect(x, y, 0, 0),
    placement: "bottom start" as const,
    offset: 0,
  };
}

function Entry({ entry }: { entry: MenuEntry }) {
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
