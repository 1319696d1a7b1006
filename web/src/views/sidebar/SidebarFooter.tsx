import { Link } from "wouter";
import { useMessenger, useSnapshot } from "../../app/context.ts";
import type { Connection } from "../../models/connection/connection.ts";
import { count } from "../../models/format/words.ts";
import type { Me } from "../../models/messenger.ts";
import { settingsPath } from "../../models/routes.ts";
import { Icon } from "../../ui/Icon.tsx";
import { Face } from "../room/Face.tsx";
import styles from "./Sidebar.module.css";

/** Who one is here, how many devices one has, and what the connection does when it is not simply there. */
export function SidebarFooter() {
  const messenger = useMessenger();
  const me = useSnapshot(messenger.me);
  const state = connectionText(useSnapshot(messenger.connection));
  return (
    <section className={styles["foot"]} aria-label="You">
      <Link href={settingsPath("profile")} className={styles["me"]}>
        <Face person={me} size={24} />
        <span className={styles["meName"]}>{me.name}</span>
        <span className="visuallyHidden">, your settings</span>
      </Link>
      <output className={styles["state"]}>{state}</output>
      {!state && me.devices && <Devices devices={me.devices} />}
    </section>
  );
}

function Devices({ devices }: { devices: NonNullable<Me["devices"]> }) {
  return (
    <Link href={settingsPath("devices")} className={styles["devices"]}>
      {count(devices.count, "device")}
      {devices.allVerified ? <Icon name="check" size={12} /> : <Icon name="alert" size={12} />}
      <span className="visuallyHidden">{devices.allVerified ? "all verified" : "not all verified"}</span>
    </Link>
  );
}

function connectionText(connection: Connection): string {
  switch (connection.phase) {
    case "reconnecting":
      return "Reconnecting…";
    case "catchingUp":
      return "Catching up…";
    case "offline":
      return "Offline";
    case "refused":
      return "Server unavailable";
    case "connected":
      return "";
  }
}
