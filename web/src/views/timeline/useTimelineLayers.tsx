import { lazy, type ReactNode, Suspense, useState } from "react";
import type { TimelineModel } from "../../models/room/model.ts";
import type { MessageItem } from "../../models/timeline/item.ts";
import { ContextMenu } from "../../ui/Menu.tsx";
import { attempt } from "../../ui/Toast.tsx";
import type { TimelineScope } from "./actions.ts";
import { DeleteDialog } from "./DeleteDialog.tsx";
import { messageMenu } from "./messageMenu.ts";

const EmojiPicker = lazy(async () => ({ default: (await import("../../ui/EmojiPicker.tsx")).EmojiPicker }));

type Open =
  | { layer: "none" }
  | { layer: "menu"; item: MessageItem; at: { x: number; y: number } }
  | { layer: "picker"; item: MessageItem; from: Element }
  | { layer: "delete"; item: MessageItem };

export interface TimelineLayers {
  open: Pick<TimelineScope, "openMenu" | "openPicker" | "askDelete">;
  /** The key of the row that a layer belongs to. */
  pinned: string | null;
  view: (scope: TimelineScope) => ReactNode;
}

/** The floating layers of a timeline: one menu, one emoji picker and one question for all its rows. */
export function useTimelineLayers(timeline: TimelineModel): TimelineLayers {
  const [open, setOpen] = useState<Open>({ layer: "none" });
  const close = () => setOpen({ layer: "none" });
  // A menu closes after its entry was chosen, which may have opened the next layer.
  const closeMenu = () => setOpen((now) => (now.layer === "menu" ? { layer: "none" } : now));
  const react = (emoji: string) => {
    if (open.layer !== "picker") return;
    const { id } = open.item;
    close();
    void attempt("Could not react", () => timeline.toggleReaction(id, emoji));
  };
  const view = (scope: TimelineScope): ReactNode => {
    switch (open.layer) {
      case "none":
        return null;
      case "menu":
        return <ContextMenu label="Message" groups={messageMenu(scope, open.item)} at={open.at} onClose={closeMenu} />;
      case "picker":
        return (
          <Suspense>
            <EmojiPicker anchor={open.from} onPick={react} onClose={close} />
          </Suspense>
        );
      case "delete":
        return <DeleteDialog item={open.item} timeline={timeline} onClose={close} />;
    }
  };
  return {
    open: {
      openMenu: (item, at) => setOpen({ layer: "menu", item, at }),
      openPicker: (item, from) => setOpen({ layer: "picker", item, from }),
      askDelete: (item) => setOpen({ layer: "delete", item }),
    },
    pinned: open.layer === "none" || open.layer === "delete" ? null : open.item.key,
    view,
  };
}
