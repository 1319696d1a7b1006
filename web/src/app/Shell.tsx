import { useEffect } from "react";
import { Redirect, Route, Switch, useLocation } from "wouter";
import { idOf, lastRoom, roomPath } from "../models/routes.ts";
import type { Messenger } from "../models/messenger.ts";
import { preloadMenus } from "../ui/Menu.tsx";
import { Toasts } from "../ui/Toast.tsx";
import { useNarrow } from "../views/settings/useNarrow.ts";
import { cx } from "../ui/cx.ts";
import { type Panel, RoomView } from "../views/room/RoomView.tsx";
import { Sidebar } from "../views/sidebar/Sidebar.tsx";
import { MessengerContext, useSnapshot } from "./context.ts";
import { Layers } from "./Layers.tsx";
import { useKeyboard } from "./useKeyboard.ts";
import { useTitle } from "./useTitle.ts";
import { Welcome } from "./Welcome.tsx";
import styles from "./Shell.module.css";

/** The frame of the messenger: the sidebar, and the room of the address beside it. */
export function Shell({ messenger }: { messenger: Messenger }) {
  return (
    <MessengerContext value={messenger}>
      <Frame messenger={messenger} />
      <Layers />
      <Toasts />
    </MessengerContext>
  );
}

function Frame({ messenger }: { messenger: Messenger }) {
  const [path] = useLocation();
  const current = roomOf(path);
  useKeyboard(messenger, current);
  useTitle(messenger, current);
  const narrow = useNarrow();
  useEffect(preloadMenus, []);
  return (
    <div className={cx(styles["shell"], current !== null && styles["inRoom"])}>
      {/* On a phone the list is the whole of the home page. */}
      <div className={styles["sidebar"]} role={narrow && current === null ? "main" : "region"} aria-label="Sidebar">
        {narrow && current === null && <h1 className="visuallyHidden">Channels and people</h1>}
        <Sidebar current={current} />
      </div>
      <div className={styles["content"]}>
        <Switch>
          <Route path="/c/:id/m/:event">{({ id, event }) => <Room id={id} target={event} />}</Route>
          <Route path="/c/:id/t/:root">
            {({ id, root }) => <Room id={id} panel={{ kind: "thread", rootId: idOf(root) }} />}
          </Route>
          <Route path="/c/:id/details">{({ id }) => <Room id={id} panel={{ kind: "details" }} />}</Route>
          <Route path="/c/:id">{({ id }) => <Room id={id} />}</Route>
          <Route>
            <Home messenger={messenger} />
          </Route>
        </Switch>
      </div>
    </div>
  );
}

function Room({ id, panel = { kind: "none" }, target }: { id: string; panel?: Panel; target?: string }) {
  return <RoomView roomId={idOf(id)} panel={panel} target={target && idOf(target)} />;
}

/** The last room where there is space for one beside the list; on a phone the list itself is home. */
function Home({ messenger }: { messenger: Messenger }) {
  const { rooms, loaded } = useSnapshot(messenger.rooms);
  const last = lastRoom();
  const known = rooms.some((room) => room.id === last && room.membership === "join");
  const first = rooms.find((room) => room.membership === "join");
  const target = known ? last : first?.id;
  if (!loaded || !matchMedia("(min-width: 720px)").matches) return null;
  return target ? <Redirect to={roomPath(target)} replace /> : <Welcome />;
}

function roomOf(path: string): string | null {
  const match = /^\/c\/([^/]+)/.exec(path);
  return match?.[1] ? idOf(match[1]) : null;
}
