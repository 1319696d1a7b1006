import { lazy, Suspense } from "react";
import { Switcher } from "../views/switcher/Switcher.tsx";
import { useLayers } from "./layers.ts";

const CreateRoom = lazy(async () => ({ default: (await import("../views/create/CreateRoom.tsx")).CreateRoom }));
const StartDirect = lazy(async () => ({ default: (await import("../views/create/StartDirect.tsx")).StartDirect }));
const InvitePeople = lazy(async () => ({ default: (await import("../views/create/InvitePeople.tsx")).InvitePeople }));
const LeaveRoom = lazy(async () => ({ default: (await import("../views/create/LeaveRoom.tsx")).LeaveRoom }));
const Browse = lazy(async () => ({ default: (await import("../views/browse/Browse.tsx")).Browse }));
const Keyboard = lazy(async () => ({ default: (await import("../views/switcher/Keyboard.tsx")).Keyboard }));

/** The dialog that is open, if any. */
export function Layers() {
  return (
    <Suspense>
      <CurrentLayer />
    </Suspense>
  );
}

function CurrentLayer() {
  const { current, close } = useLayers();
  switch (current.layer) {
    case "none":
      return null;
    case "switcher":
      return <Switcher onClose={close} />;
    case "create":
      return <CreateRoom onClose={close} />;
    case "direct":
      return <StartDirect onClose={close} />;
    case "browse":
      return <Browse onClose={close} />;
    case "keyboard":
      return <Keyboard onClose={close} />;
    case "invite":
      return <InvitePeople roomId={current.roomId} onClose={close} />;
    case "leave":
      return <LeaveRoom roomId={current.roomId} onClose={close} />;
  }
}
