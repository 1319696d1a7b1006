import { lazy, Suspense, useEffect } from "react";
import { useLocation } from "wouter";
import { useActive, useRoom, useSnapshot } from "../../app/context.ts";
import { detailsPath, rememberRoom, roomPath, threadPath } from "../../models/routes.ts";
import type { RoomModel } from "../../models/room/model.ts";
import { Composer } from "../composer/Composer.tsx";
import { Timeline } from "../timeline/Timeline.tsx";
import { ConnectionBar } from "./ConnectionBar.tsx";
import { DropZone } from "./DropZone.tsx";
import { RoomHeader } from "./RoomHeader.tsx";
import { useVisualHeight } from "./useVisualHeight.ts";
import styles from "./RoomView.module.css";

const Details = lazy(async () => ({ default: (await import("../details/Details.tsx")).Details }));
const ThreadPanel = lazy(async () => ({ default: (await import("../thread/ThreadPanel.tsx")).ThreadPanel }));
const InviteCard = lazy(async () => ({ default: (await import("./Gate.tsx")).InviteCard }));
const JoinCard = lazy(async () => ({ default: (await import("./Gate.tsx")).JoinCard }));

/** What stands beside the timeline. */
export type Panel = { kind: "none" } | { kind: "thread"; rootId: string } | { kind: "details" };

export interface RoomViewProps {
  roomId: string;
  panel: Panel;
  /** The message in the address. */
  target?: string | undefined;
}

/** One room: its timeline and what one writes, or the question whether to join it. */
export function RoomView({ roomId, panel, target }: RoomViewProps) {
  const room = useRoom(roomId);
  return (
    <Suspense>
      {room ? <KnownRoom key={room.id} room={room} panel={panel} target={target} /> : <JoinCard roomId={roomId} />}
    </Suspense>
  );
}

function KnownRoom({ room, panel, target }: { room: RoomModel; panel: Panel; target?: string | undefined }) {
  const info = useSnapshot(room.info);
  useActive(room);
  useEffect(() => rememberRoom(room.id), [room.id]);
  const [, navigate] = useLocation();
  const close = () => navigate(roomPath(room.id));
  if (info.membership === "invite") return <InviteCard room={room} />;
  return (
    <>
      <Main room={room} target={target} detailsOpen={panel.kind === "details"} />
      <Suspense>
        {panel.kind === "thread" && (
          <ThreadPanel key={panel.rootId} room={room} rootId={panel.rootId} onClose={close} />
        )}
        {panel.kind === "details" && <Details room={room} onClose={close} />}
      </Suspense>
    </>
  );
}

function Main({ room, target, detailsOpen }: { room: RoomModel; target?: string | undefined; detailsOpen: boolean }) {
  const info = useSnapshot(room.info);
  const [, navigate] = useLocation();
  useActive(room.timeline);
  useVisualHeight();
  const scope = {
    roomId: room.id,
    timeline: room.timeline,
    composer: room.composer,
    inThread: false,
    openThread: (rootId: string) => navigate(threadPath(room.id, rootId)),
  };
  return (
    <DropZone onFiles={info.cannotPost ? null : (files) => room.composer.attach(files)}>
      <main className={styles["main"]} aria-label={info.name}>
        <RoomHeader
          info={info}
          detailsOpen={detailsOpen}
          onDetails={() => navigate(detailsOpen ? roomPath(room.id) : detailsPath(room.id))}
        />
        <ConnectionBar place="line" />
        <Timeline room={room} scope={scope} target={target} label={`Messages in ${info.name}`} />
        <ConnectionBar place="bar" />
        {info.cannotPost ? (
          <p className={styles["cannotPost"]}>{info.cannotPost}</p>
        ) : (
          <Composer composer={room.composer} timeline={room.timeline} placeholder={placeholderOf(info)} />
        )}
        <p className={styles["typing"]} aria-live="polite">
          {info.typing}
        </p>
      </main>
    </DropZone>
  );
}

function placeholderOf({ kind, name }: { kind: string; name: string }): string {
  return kind === "direct" ? `Message ${name}` : `Message #${name.replace(/^#/, "")}`;
}
