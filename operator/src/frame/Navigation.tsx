import { Link } from "@tanstack/react-router";
import { Icon } from "../../../web/src/ui/Icon.tsx";
import { IconButton } from "../../../web/src/ui/Button.tsx";
import { MenuButton } from "../../../web/src/ui/Menu.tsx";
import { setTheme, type Theme, useTheme } from "../../../web/src/ui/theme.ts";
import { attempt } from "../../../web/src/ui/Toast.tsx";
import { groups } from "../screens/list.ts";
import { signOut } from "../session.ts";
import { useOperator } from "./context.ts";
import styles from "./Navigation.module.css";

/** Every screen in its group, and who is signed in. */
export function Navigation({ onGo }: { onGo?: () => void }) {
  return (
    <div className={styles["navigation"]}>
      <p className={styles["name"]}>
        Parley <span>console</span>
      </p>
      <nav className={styles["nav"]} aria-label="Screens">
        {groups.map(({ title, screens }) => (
          <div key={title} className={styles["group"]}>
            {title && <h2 className={styles["groupTitle"]}>{title}</h2>}
            <ul>
              {screens.map(({ path, label, icon }) => (
                <li key={path}>
                  <Link
                    to={path}
                    activeOptions={{ exact: path === "/", includeSearch: false }}
                    activeProps={{ "aria-current": "page", "data-selected": true } as object}
                    className={styles["link"]}
                    {...(onGo ? { onClick: onGo } : {})}
                  >
                    <Icon name={icon} />
                    {label}
                  </Link>
                </li>
              ))}
            </ul>
          </div>
        ))}
      </nav>
      <Me />
    </div>
  );
}

const THEMES: readonly { theme: Theme; label: string }[] = [
  { theme: "system", label: "Theme of the system" },
  { theme: "light", label: "Light" },
  { theme: "dark", label: "Dark" },
];

function Me() {
  const { user_id, role } = useOperator();
  const chosen = useTheme();
  const themes = THEMES.map(({ theme, label }) => ({
    id: theme,
    label,
    checked: chosen === theme,
    onAction: () => setTheme(theme),
  }));
  const leave = {
    id: "out",
    label: "Sign out",
    icon: "leave" as const,
    onAction: () => void attempt("Could not sign out", signOut),
  };
  return (
    <div className={styles["me"]}>
      <div className={styles["who"]}>
        <p className={styles["user"]} title={user_id}>
          {user_id}
        </p>
        <p className={styles["role"]}>{role}</p>
      </div>
      <MenuButton label="You" placement="top end" groups={[{ title: "Theme", entries: themes }, { entries: [leave] }]}>
        {(trigger) => <IconButton {...trigger} icon="more" label="You" size="compact" />}
      </MenuButton>
    </div>
  );
}
