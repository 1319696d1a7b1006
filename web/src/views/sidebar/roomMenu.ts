import type { Layer } from "../../app/layers.ts";
import type { Messenger } from "../../models/messenger.ts";
import type { RoomEntry } from "../../models/rooms/entry.ts";
import type { MenuGroups } from "../../ui/Menu.tsx";
import { attempt, toast } from "../../ui/Toast.tsx";

/** What one can do with a room from the sidebar. */
export function roomMenu(messenger: Messenger, room: RoomEntry, open: (layer: Layer) => void): MenuGroups {
  if (room.membership === "invite") {
    return [
      {
        entries: [
          {
            id: "accept",
            label: "Accept invite",
            icon: "check",
            onAction: () => void attempt("Could not join", () => messenger.join(room.id)),
          },
          {
            id: "decline",
            label: "Decline",
            icon: "close",
            danger: true,
            onAction: () => void attempt("Could not decline", () => messenger.leave(room.id)),
          },
        ],
      },
    ];
  }
  const model = messenger.room(room.id);
  const copyLink = async () => {
    await navigator.clipboard.writeText(`${location.origin}/c/${encodeURIComponent(room.id)}`);
    toast("Link copied");
  };
  return [
    {
      entries: [
        ...(room.unread && model
          ? [{ id: "read", label: "Mark as read", icon: "check" as const, onAction: () => model.markAllRead() }]
          : []),
        { id: "link", label: "Copy link", icon: "link", onAction: () => void attempt("Could not copy", copyLink) },
        ...(room.kind === "direct"
          ? []
          : [
              {
                id: "invite",
                label: "Invite people",
                icon: "personAdd" as const,
                onAction: () => open({ layer: "invite", roomId: room.id }),
              },
            ]),
      ],
    },
    {
      entries: [
        {
          id: "leave",
          label: room.kind === "direct" ? "Leave conversation" : "Leave channel",
          icon: "leave",
          danger: true,
          onAction: () => open({ layer: "leave", roomId: room.id }),
        },
      ],
    },
  ];
}
