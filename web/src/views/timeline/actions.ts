import { createContext, useContext } from "react";
import type { MessageItem } from "../../models/timeline/item.ts";
import type { ComposerModel, TimelineModel } from "../../models/room/model.ts";

/** What a row may do: the timeline that it stands in, and the ways out of it. */
export interface TimelineScope {
  roomId: string;
  timeline: TimelineModel;
  composer: ComposerModel;
  /** A thread's own timeline has no further threads. */
  inThread: boolean;
  openThread: (rootId: string) => void;
  /** Scrolls to a message, loading it if need be, and marks it for a moment. */
  goTo: (eventId: string) => void;
  openMenu: (item: MessageItem, at: { x: number; y: number }) => void;
  openPicker: (item: MessageItem, from: Element) => void;
  askDelete: (item: MessageItem) => void;
}

export const ScopeContext = createContext<TimelineScope | null>(null);

export function useScope(): TimelineScope {
  const scope = useContext(ScopeContext);
  if (!scope) throw new Error("this view stands outside of a timeline");
  return scope;
}
