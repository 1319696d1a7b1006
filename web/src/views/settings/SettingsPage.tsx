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
import { useNarrow } from "./useNarrow.ts";
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
  const narrow = useNarrow();
  const close = () => navigate("/");
  const asked = path.split("/")[2];
  const tab = TABS.find((each) => each.id === asked);
  const title = tab?.title ?? "Settings";
  useEffect(() => {
    document.title = `${title} · Parley`;
  }, [title]);
  if (!("client" in session)) return null;
  if (narrow && !tab) {
    return (
      <main className={styles.page}>
        <Tabs current={null} onClose={close} />
      </main>
    );
  }
  return (
    <div className={styles.page}>
      {!narrow && <Tabs current={tab?.id ?? "profile"} onClose={close} />}
      <main className={styles.main} key={tab?.id}>
        <header className={styles.header}>
          {narrow && <IconButton icon="chevronLeft" label="All settings" onPress={() => navigate("/settings")} />}
          <h1>{tab?.title ?? "Profile"}</h1>
        </header>
        <div className={styles.content}>{contentOf(tab?.id ?? "profile", { client: session.client })}</div>
      </main>
    </div>
  );
}

/** The list of pages; it is a page itself, and then has the heading, when `current` is null. */
function Tabs({ current, onClose }: { current: TabId | null; onClose: () => void }) {
  const Title = current ? "p" : "h1";
  return (
    <nav className={styles.nav} aria-label="Settings">
      <header className={styles.header}>
        <Title className={styles.title}>Settings</Title>
        <IconButton icon="close" label="Close settings" onPress={onClose} />
      </header>
      <ul className={styles.list}>
        {TABS.map(({ id, title }) => (
          <li key={id}>
            <Link
              href={`/settings/${id}`}
              className={cx(styles.tab, id === current && styles.current)}
              {...(id === current && { "aria-current": "page" as const })}
            >
              <Icon name={ICONS[id]} />
              {title}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
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
      return <RecoveryTab {...props} />;
    case "keyboard":
      return <KeyboardTab />;
    case "about":
      return <AboutTab {...props} />;
  }
}
