import { useState } from "react";
import { useActive, useSnapshot } from "../../app/context.ts";
import type { RoomModel } from "../../models/room/model.ts";
import { Panel } from "../../ui/Panel.tsx";
import { Composer } from "../composer/Composer.tsx";
import { Timeline } from "../timeline/Timeline.tsx";
import styles from "./ThreadPanel.module.css";

/** A thread: its first message, the replies, and a composer of its own. */
export function ThreadPanel({ room, rootId, onClose }: { room: RoomModel; rootId: string; onClose: () => void }) {
  const info = useSnapshot(room.info);
  const [thread] = useState(() => room.thread(rootId));
  useActive(thread.timeline);
  const scope = {
    roomId: room.id,
    timeline: thread.timeline,
    composer: thread.composer,
    inThread: true,
    openThread: () => undefined,
  };
  return (
    <Panel title="Thread" detail={info.name} forWriting onClose={onClose}>
      <div className={styles["thread"]}>
        <Timeline room={room} scope={scope} label="Thread" />
      </div>
      {info.cannotPost ? null : (
        <Composer composer={thread.composer} timeline={thread.timeline} placeholder="Reply in thread" small />
      )}
    </Panel>
  );
}
