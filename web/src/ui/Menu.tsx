import { lazy, type ReactElement, Suspense, useState } from "react";
import type { PressEvent } from "react-aria-components";
import type { IconName } from "./Icon.tsx";
import type { MenuPlace } from "./MenuPopover.tsx";

// Menus open by a press only, so the first picture of the app does not wait for their code.
const loadPopover = () => import("./MenuPopover.tsx");
const MenuPopover = lazy(async () => ({ default: (await loadPopover()).MenuPopover }));

/** Fetches what menus need, ahead of the first one. */
export function preloadMenus(): void {
  void loadPopover().catch(() => undefined);
}

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

/** What the button of a menu needs to be one; it goes to a React Aria button as it is. */
export interface MenuTriggerProps {
  "aria-haspopup": "menu";
  "aria-expanded": boolean;
  onPress: (event: PressEvent) => void;
}

export interface MenuButtonProps {
  label: string;
  groups: MenuGroups;
  placement?: "bottom start" | "bottom end" | "top start" | "top end";
  children: (trigger: MenuTriggerProps) => ReactElement;
}

/** A button that opens a menu beside itself. */
export function MenuButton({ label, groups, placement = "bottom start", children }: MenuButtonProps) {
  const [anchor, setAnchor] = useState<Element | null>(null);
  const trigger: MenuTriggerProps = {
    "aria-haspopup": "menu",
    "aria-expanded": anchor !== null,
    onPress: (event) => setAnchor(event.target),
  };
  return (
    <>
      {children(trigger)}
      {anchor && (
        <LazyMenu label={label} groups={groups} place={{ anchor, placement }} onClose={() => setAnchor(null)} />
      )}
    </>
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
  return <LazyMenu label={label} groups={groups} place={{ at }} onClose={onClose} />;
}

function LazyMenu(props: { label: string; groups: MenuGroups; place: MenuPlace; onClose: () => void }) {
  return (
    <Suspense>
      <MenuPopover {...props} />
    </Suspense>
  );
}
