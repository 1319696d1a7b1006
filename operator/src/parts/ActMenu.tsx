import { Button } from "../../../web/src/ui/Button.tsx";
import { MenuButton } from "../../../web/src/ui/Menu.tsx";
import { Tip } from "../../../web/src/ui/Tooltip.tsx";
import { useOperator } from "../frame/context.ts";
import { holds, type Role } from "../session.ts";
import { type Act, ask } from "./acts.ts";
import { useWriteBar } from "./useWriteBar.ts";

export interface ActEntry {
  label: string;
  act: () => Act;
  /** Dangerous ones are red, and stand in a group of their own. */
  isDangerous?: boolean;
  /** The role that it needs, where that is more than the operator's. Who has it not does not see it. */
  needs?: Role;
}

/** What can be done with the thing on the screen. Entries that do not apply now are left out by giving false. */
export function ActMenu({ label, entries }: { label: string; entries: readonly (ActEntry | false)[] }) {
  const bar = useWriteBar();
  const { role } = useOperator();
  const given = entries
    .filter((entry) => entry !== false)
    .filter(({ needs = "operator" }) => needs === "operator" || holds(role, needs));
  const groupOf = (isDangerous: boolean) => ({
    entries: given
      .filter((entry) => (entry.isDangerous ?? false) === isDangerous)
      .map(({ label: name, act }) => ({ id: name, label: name, danger: isDangerous, onAction: () => ask(act()) })),
  });
  const menu = (
    <MenuButton label={label} placement="bottom end" groups={[groupOf(false), groupOf(true)]}>
      {(trigger) => (
        <Button {...trigger} icon="chevronDown" isDisabled={bar !== null}>
          Act
        </Button>
      )}
    </MenuButton>
  );
  return bar === null ? menu : <Tip label={bar}>{menu}</Tip>;
}
