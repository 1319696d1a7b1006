import { Button as AriaButton } from "react-aria-components";
import { useLocation } from "wouter";
import { useMessenger } from "../../app/context.ts";
import { useLayers } from "../../app/layers.ts";
import { settingsPath } from "../../models/routes.ts";
import { Icon } from "../../ui/Icon.tsx";
import { MenuButton, type MenuGroups } from "../../ui/Menu.tsx";
import { setTheme, type Theme, useTheme } from "../../ui/theme.ts";
import { attempt } from "../../ui/Toast.tsx";
import styles from "./Sidebar.module.css";

const THEMES: { id: Theme; label: string; icon: "monitor" | "sun" | "moon" }[] = [
  { id: "system", label: "As the system", icon: "monitor" },
  { id: "light", label: "Light", icon: "sun" },
  { id: "dark", label: "Dark", icon: "moon" },
];

/** The name of the workspace, and everything that belongs to it as a whole. */
export function WorkspaceMenu() {
  const messenger = useMessenger();
  const { open } = useLayers();
  const [, navigate] = useLocation();
  const theme = useTheme();
  const groups: MenuGroups = [
    {
      entries: [
        { id: "create", label: "New channel", icon: "hash", onAction: () => open({ layer: "create" }) },
        { id: "direct", label: "New direct message", icon: "person", onAction: () => open({ layer: "direct" }) },
        { id: "browse", label: "Browse channels", icon: "search", onAction: () => open({ layer: "browse" }) },
        {
          id: "readAll",
          label: "Mark everything as read",
          icon: "check",
          onAction: () => void attempt("Could not mark as read", () => messenger.markAllRead()),
        },
      ],
    },
    {
      title: "Appearance",
      entries: THEMES.map(({ id, label, icon }) => ({
        id,
        label,
        icon,
        checked: theme === id,
        onAction: () => setTheme(id),
      })),
    },
    {
      entries: [
        {
          id: "settings",
          label: "Settings",
          icon: "settings",
          keys: "Ctrl ,",
          onAction: () => navigate(settingsPath()),
        },
        { id: "keys", label: "Keyboard", icon: "info", keys: "?", onAction: () => open({ layer: "keyboard" }) },
      ],
    },
  ];
  return (
    <section className={styles["head"]} aria-label="Workspace">
      <MenuButton label="Workspace" groups={groups}>
        {(trigger) => (
          <AriaButton {...trigger} className={styles["workspace"] ?? ""}>
            <span className={styles["workspaceName"]}>{messenger.workspace}</span>
            <Icon name="chevronDown" />
          </AriaButton>
        )}
      </MenuButton>
    </section>
  );
}
