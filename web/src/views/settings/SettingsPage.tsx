import { type ReactNode, useEffect } from "react";
import { Link, useLocation } from "wouter";
import { useSession } from "../../models/session/session.ts";
import { IconButton } from "../../ui/Button.tsx";
import { Icon, type IconName } from "../../ui/Icon.tsx";
import { cx } from "../../ui/cx.ts";
import { AboutTab } from "./AboutTab.tsx";
import { AppearanceTab } from "./AppearanceTab.tsx";
import { DevicesTab } from "./DevicesTab.tsx";
import { KeyboardTab } from "./KeyboardTab.tsx";
import { NotificationsTab } from "./NotificationsTab.tsx";
import { ProfileTab } from "./ProfileTab.tsx";
import { RecoveryTab } from "./RecoveryTab.tsx";
import { type ClientProps, TABS, type TabId } from "./tabs.ts";
import styles from "./SettingsPage.module.css";

const ICONS: Record<TabId, IconName> = {
  profile: "person",
  notifications: "bell",
  appearance: "sun",
  devices: "device",
  recovery: "key",
  keyboard: "list",
  about: "info",
};

/** The settings at `/settings/:tab`. On a phone `/settings` is the list and each tab a page of its own. */
export function SettingsPage() {
  const session = useSession();
  const [path, navigate] = useLocation();
  const asked = path.split("/")[2];
  const tab = TABS.find((each) => each.id === asked);
  const title = tab?.title ?? "Settings";
  useEffect(() => {
    document.title = `${title} · Parley`;
  }, [title]);
  if (!("client" in session)) return null;
  return (
    <div className={cx(styles.page, tab && styles.open)}>
      <nav className={styles.nav} aria-label="Settings">
        <header className={styles.header}>
          <h1>Settings</h1>
          <IconButton icon="close" label="Close settings" onPress={() => navigate("/")} />
        </header>
        <ul className={styles.list}>
          {TABS.map(({ id, title: name }) => (
            <li key={id}>
              <Link
                href={`/settings/${id}`}
                className={cx(styles.tab, id === (tab?.id ?? "profile") && styles.current)}
                {...(id === tab?.id && { "aria-current": "page" as const })}
              >
                <Icon name={ICONS[id]} />
                {name}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <main className={styles.main} key={tab?.id}>
        <header className={styles.header}>
          <IconButton
            icon="chevronLeft"
            label="All settings"
            className={styles.back}
            onPress={() => navigate("/settings")}
          />
          <h2>{tab?.title ?? "Profile"}</h2>
        </header>
        <div className={styles.content}>{contentOf(tab?.id ?? "profile", { client: session.client })}</div>
      </main>
    </div>
  );
}

function contentOf(tab: TabId, props: ClientProps): ReactNode {
  switch (tab) {
    case "profile":
      return <ProfileTab {...props} />;
    case "notifications":
      return <NotificationsTab {...props} />;
    case "appearance":
      return <AppearanceTab />;
    case "devices":
      return <DevicesTab {...props} />;
    case "recovery":
      return <RecoveryTab />;
    case "keyboard":
      return <KeyboardTab />;
    case "about":
      return <AboutTab {...props} />;
  }
}
