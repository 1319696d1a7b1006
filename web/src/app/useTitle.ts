import { useEffect } from "react";
import { attention } from "../models/rooms/entry.ts";
import type { Messenger } from "../models/messenger.ts";
import { useSnapshot } from "./context.ts";

/** The window's title and icon: which room is open, how many messages name the person, and that something waits. */
export function useTitle(messenger: Messenger, current: string | null): void {
  const { rooms } = useSnapshot(messenger.rooms);
  const name = rooms.find((room) => room.id === current)?.name;
  const { unread, mentions } = attention(rooms);
  useEffect(() => {
    const number = mentions > 0 ? `(${mentions}) ` : "";
    document.title = `${number}${name ? `${name} · ` : ""}Parley`;
  }, [name, mentions]);
  const waiting = unread > 0 || mentions > 0;
  useEffect(() => {
    const icon = document.querySelector<HTMLLinkElement>("#favicon");
    if (icon) icon.href = waiting ? "/favicon-unread.svg" : "/favicon.svg";
    if ("setAppBadge" in navigator)
      void (waiting ? navigator.setAppBadge(mentions || undefined) : navigator.clearAppBadge()).catch(() => undefined);
  }, [waiting, mentions]);
}
