import { useSnapshot } from "../../app/context.ts";
import type { RoomModel } from "../../models/room/model.ts";
import { SkeletonRows } from "../../ui/Skeleton.tsx";
import { ScopeContext, type TimelineScope } from "./actions.ts";
import { Announcer } from "./Announcer.tsx";
import { Log } from "./Log.tsx";
import { OlderState, Pills } from "./Pills.tsx";
import { useJump } from "./useJump.ts";
import { useOlder, useReadMarker, useScroller } from "./useTimelineEffects.ts";
import { type TimelineLayers, useTimelineLayers } from "./useTimelineLayers.tsx";
import styles from "./Timeline.module.css";

export interface TimelineProps {
  room: RoomModel;
  scope: Omit<TimelineScope, keyof TimelineLayers["open"] | "goTo">;
  /** The message to show first, from the address. */
  target?: string | undefined;
  /** What a screen reader calls the list. */
  label: string;
}

/** The messages of a room or a thread, with what floats over them. */
export function Timeline({ room, scope, target, label }: TimelineProps) {
  const { timeline } = scope;
  const snapshot = useSnapshot(timeline.store);
  const { rows, ready, loadingOlder, error } = snapshot;
  const scroller = useScroller(snapshot);
  const layers = useTimelineLayers(timeline);
  const { marked, goTo } = useJump({ scroller, timeline, rows, ready, target });
  const loadMore = useOlder(timeline, snapshot, scroller);
  useReadMarker(timeline, rows, scroller);
  const whole: TimelineScope = { ...scope, ...layers.open, goTo };
  const onScroll = () => {
    scroller.onScroll();
    loadMore();
  };
  return (
    <ScopeContext value={whole}>
      <div className={styles["frame"]}>
        {!ready && (
          <div className={styles["loading"]}>
            <SkeletonRows rows={6} shape="message" />
          </div>
        )}
        <Log
          room={room}
          label={label}
          rows={rows}
          scroller={scroller}
          onScroll={onScroll}
          marked={marked}
          pinned={layers.pinned}
        />
        <OlderState loading={loadingOlder} error={error} onRetry={() => void timeline.loadOlder()} />
        <Pills scroller={scroller} unreadAtOpen={snapshot.unreadAtOpen} />
        <Announcer rows={rows} ready={ready} />
        {layers.view(whole)}
      </div>
    </ScopeContext>
  );
}
