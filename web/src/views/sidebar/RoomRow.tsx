import { memo, type MouseEvent } from "react";
import { Link } from "wouter";
import { count } from "../../models/format/words.ts";
import { roomPath } from "../../models/routes.ts";
import type { RoomEntry } from "../../models/rooms/entry.ts";
import { cx } from "../../ui/cx.ts";
import { Icon, type IconName } from "../../ui/Icon.tsx";
import { Count } from "../../ui/Tag.tsx";
import styles from "./Sidebar.module.css";

const ICONS: Record<RoomEntry["kind"], IconName> = {
  public: "hash",
  private: "lock",
  restricted: "diamond",
  direct: "person",
};

export interface RoomRowProps {
  room: RoomEntry;
  current: boolean;
  onMenu: (at: { x: number; y: number }) => void;
}

/** One room. Bold says unread; the count says how many messages name the person. */
export const RoomRow = memo(function RoomRow({ room, current, onMenu }: RoomRowProps) {
  const bold = (room.unread && !room.muted) || room.membership === "invite";
  const openMenu = (event: MouseEvent) => {
    event.preventDefault();
    onMenu({ x: event.clientX, y: event.clientY });
  };
  return (
    <li>
      <Link
        href={roomPath(room.id)}
        className={cx(
          styles["row"],
          current && styles["current"],
          bold && styles["unread"],
          room.muted && styles["muted"],
        )}
        aria-current={current ? "page" : undefined}
        onContextMenu={openMenu}
        data-room={room.id}
      >
        <RowIcon room={room} />
        <span className={styles["name"]}>{room.name}</span>
        {room.draft && <Named icon="edit" text="draft" />}
        {room.muted && <Named icon="ban" text="muted" />}
        {room.membership === "invite" && <Count value={1} label="invited" />}
        {room.membership === "join" && room.count > 0 && <Count value={room.count} label={countLabel(room)} />}
        {bold && room.count === 0 && room.membership === "join" && <span className="visuallyHidden">unread</span>}
      </Link>
    </li>
  );
});

function RowIcon({ room }: { room: RoomEntry }) {
  if (room.kind !== "direct" || room.membership === "invite")
    return <Icon name={ICONS[room.kind]} className={styles["icon"] ?? ""} />;
  if (!room.peer) return <Icon name="people" className={styles["icon"] ?? ""} />;
  return (
    <span className={styles["icon"]}>
      <span className={cx(styles["presence"], styles[room.presence ?? "offline"])} />
      <span className="visuallyHidden">
        {room.presence === "online" ? "online" : room.presence === "unavailable" ? "away" : "offline"}
      </span>
    </span>
  );
}

function Named({ icon, text }: { icon: IconName; text: string }) {
  return (
    <span className={styles["mark"]} title={text}>
      <Icon name={icon} size={12} />
      <span className="visuallyHidden">{text}</span>
    </span>
  );
}

function countLabel(room: RoomEntry): string {
  return room.kind === "direct" ? `${room.count} unread` : count(room.count, "mention");
}
