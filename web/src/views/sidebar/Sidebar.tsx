import { useState } from "react";
import { useMessenger, useSnapshot } from "../../app/context.ts";
import { useLayers } from "../../app/layers.ts";
import { type RoomEntry, sections } from "../../models/rooms/entry.ts";
import { Button, IconButton } from "../../ui/Button.tsx";
import { KeyCaps } from "../../ui/KeyCaps.tsx";
import { Icon } from "../../ui/Icon.tsx";
import { ContextMenu } from "../../ui/Menu.tsx";
import { SkeletonRows } from "../../ui/Skeleton.tsx";
import { LockedRow } from "../recovery/LockedRow.tsx";
import { roomMenu } from "./roomMenu.ts";
import { RoomRow } from "./RoomRow.tsx";
import { SidebarFooter } from "./SidebarFooter.tsx";
import { WorkspaceMenu } from "./WorkspaceMenu.tsx";
import styles from "./Sidebar.module.css";

/** The left column: where one is, where one can go, and what waits there. */
export function Sidebar({ current }: { current: string | null }) {
  const { open } = useLayers();
  return (
    <div className={styles["sidebar"]}>
      <WorkspaceMenu />
      <button type="button" className={styles["jump"]} onClick={() => open({ layer: "switcher" })}>
        <Icon name="search" size={14} />
        <span className={styles["jumpText"]}>Jump to…</span>
        <KeyCaps keys="Ctrl K" />
      </button>
      <RoomList current={current} />
      <LockedRow />
      <SidebarFooter />
    </div>
  );
}

function RoomList({ current }: { current: string | null }) {
  const messenger = useMessenger();
  const { loaded, rooms } = useSnapshot(messenger.rooms);
  const { open } = useLayers();
  const [menu, setMenu] = useState<{ room: RoomEntry; at: { x: number; y: number } } | null>(null);
  if (!loaded)
    return (
      <div className={styles["list"]}>
        <SkeletonRows rows={8} shape="line" />
      </div>
    );
  const shown = sections(rooms);
  return (
    <nav className={styles["list"]} aria-label="Channels and people" data-region="sidebar">
      {shown.map((section) => (
        <section key={section.id} aria-labelledby={`section-${section.id}`}>
          <div className={styles["sectionHead"]}>
            <h2 id={`section-${section.id}`}>{section.title}</h2>
            {section.id === "channels" && (
              <IconButton
                icon="plus"
                label="New channel"
                size="compact"
                iconSize={14}
                onPress={() => open({ layer: "create" })}
              />
            )}
            {section.id === "direct" && (
              <IconButton
                icon="plus"
                label="New direct message"
                size="compact"
                iconSize={14}
                onPress={() => open({ layer: "direct" })}
              />
            )}
          </div>
          <ul>
            {section.rooms.map((room) => (
              <RoomRow key={room.id} room={room} current={room.id === current} onMenu={(at) => setMenu({ room, at })} />
            ))}
          </ul>
        </section>
      ))}
      {!shown.some((section) => section.id === "channels") && <NoChannels />}
      {menu && (
        <ContextMenu
          label={`Actions for ${menu.room.name}`}
          groups={roomMenu(messenger, menu.room, open)}
          at={menu.at}
          onClose={() => setMenu(null)}
        />
      )}
    </nav>
  );
}

function NoChannels() {
  const { open } = useLayers();
  return (
    <div className={styles["empty"]}>
      <p>No channels yet</p>
      <div className={styles["emptyActions"]}>
        <Button size="compact" onPress={() => open({ layer: "create" })}>
          Create
        </Button>
        <Button size="compact" variant="quiet" onPress={() => open({ layer: "browse" })}>
          Browse
        </Button>
        <Button size="compact" variant="quiet" onPress={() => open({ layer: "direct" })}>
          Message someone
        </Button>
      </div>
    </div>
  );
}
