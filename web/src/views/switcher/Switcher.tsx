import { type KeyboardEvent, useId, useState } from "react";
import { Dialog, Modal, ModalOverlay } from "react-aria-components";
import { useLocation } from "wouter";
import { useMessenger, useSnapshot } from "../../app/context.ts";
import { useLayers } from "../../app/layers.ts";
import { type Destination, destinations } from "../../models/rooms/jump.ts";
import { roomPath, settingsPath } from "../../models/routes.ts";
import { cx } from "../../ui/cx.ts";
import { Icon } from "../../ui/Icon.tsx";
import { KeyCaps } from "../../ui/KeyCaps.tsx";
import { Count } from "../../ui/Tag.tsx";
import { Face } from "../room/Face.tsx";
import styles from "./Switcher.module.css";

const COMMANDS = [
  { id: "create", name: "New channel" },
  { id: "direct", name: "New direct message" },
  { id: "browse", name: "Browse channels" },
  { id: "settings", name: "Settings" },
  { id: "keyboard", name: "Keyboard" },
] as const;

/** Goes to any room or does any command with a few letters. */
export function Switcher({ onClose }: { onClose: () => void }) {
  const listId = useId();
  const { rooms } = useSnapshot(useMessenger().rooms);
  const [term, setTerm] = useState("");
  const [at, setAt] = useState(0);
  const choose = useChoice(onClose);
  const list = destinations(rooms, [...COMMANDS], term);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") setAt((at + 1) % Math.max(1, list.length));
    else if (event.key === "ArrowUp") setAt((at - 1 + list.length) % Math.max(1, list.length));
    else if (event.key === "Enter") choose(list[at]);
    else return;
    event.preventDefault();
  };
  return (
    <ModalOverlay isOpen isDismissable onOpenChange={(open) => !open && onClose()} className={styles["overlay"] ?? ""}>
      <Modal className={styles["modal"] ?? ""}>
        <Dialog aria-label="Jump to" className={styles["dialog"] ?? ""}>
          <div className={styles["field"]}>
            <Icon name="search" />
            <input
              role="combobox"
              aria-label="Jump to a channel, a person or a command"
              aria-expanded="true"
              aria-controls={listId}
              aria-activedescendant={list[at] ? `${listId}-${at}` : undefined}
              aria-autocomplete="list"
              placeholder="Jump to…"
              autoFocus
              spellCheck={false}
              value={term}
              onChange={(event) => {
                setTerm(event.target.value);
                setAt(0);
              }}
              onKeyDown={onKeyDown}
            />
          </div>
          <div id={listId} role="listbox" aria-label="Destinations" className={styles["list"]}>
            {list.map((item, index) => (
              <Entry
                key={`${item.kind} ${item.id}`}
                id={`${listId}-${index}`}
                item={item}
                chosen={index === at}
                onPoint={() => setAt(index)}
                onPick={() => choose(item)}
              />
            ))}
          </div>
          {list.length === 0 && (
            <p className={styles["none"]}>Nothing of this name. Browse channels or start a direct message.</p>
          )}
          <p className={styles["hints"]}>
            <span>
              <KeyCaps keys="#" /> channels
            </span>
            <span>
              <KeyCaps keys="@" /> people
            </span>
            <span>
              <KeyCaps keys="&gt;" /> commands
            </span>
          </p>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

function useChoice(onClose: () => void) {
  const [, navigate] = useLocation();
  const { open } = useLayers();
  return (item: Destination | undefined) => {
    if (!item) return;
    onClose();
    if (item.kind === "room") navigate(roomPath(item.id));
    else if (item.id === "settings") navigate(settingsPath());
    else open({ layer: item.id as "create" | "direct" | "browse" | "keyboard" });
  };
}

interface EntryProps {
  id: string;
  item: Destination;
  chosen: boolean;
  onPoint: () => void;
  onPick: () => void;
}

function Entry({ id, item, chosen, onPoint, onPick }: EntryProps) {
  const { room } = item;
  return (
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus -- the field keeps the focus and its keys choose here
    <div
      id={id}
      role="option"
      aria-selected={chosen}
      className={cx(styles["option"], chosen && styles["chosen"], room?.unread && styles["unread"])}
      onPointerMove={onPoint}
      onClick={onPick}
    >
      <Mark item={item} />
      <span className={styles["name"]}>{item.name}</span>
      <span className={styles["detail"]}>{item.detail}</span>
      {room && room.count > 0 && <Count value={room.count} label={`${room.count} unread`} />}
    </div>
  );
}

function Mark({ item }: { item: Destination }) {
  if (!item.room) return <Icon name="chevronRight" />;
  if (item.room.kind === "direct") {
    return (
      <Face person={{ id: item.room.peer ?? item.id, name: item.name, avatarMxc: item.room.avatarMxc }} size={20} />
    );
  }
  return <Icon name={item.room.kind === "public" ? "hash" : item.room.kind === "restricted" ? "diamond" : "lock"} />;
}
