import { useState } from "react";
import { useLocation } from "wouter";
import { useMessenger, useRoom, useSnapshot } from "../../app/context.ts";
import { HOME } from "../../models/routes.ts";
import type { RoomModel } from "../../models/room/model.ts";
import { Button } from "../../ui/Button.tsx";
import { Dialog } from "../../ui/Dialog.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { reasonOf } from "../../ui/Toast.tsx";

export function LeaveRoom({ roomId, onClose }: { roomId: string; onClose: () => void }) {
  const room = useRoom(roomId);
  return room && <LeaveDialog room={room} onClose={onClose} />;
}

/** Says what leaving costs before it is done. */
function LeaveDialog({ room, onClose }: { room: RoomModel; onClose: () => void }) {
  const messenger = useMessenger();
  const info = useSnapshot(room.info);
  const [, navigate] = useLocation();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const leave = async () => {
    setBusy(true);
    try {
      await messenger.leave(room.id);
      onClose();
      navigate(HOME);
    } catch (failure) {
      setError(reasonOf(failure));
      setBusy(false);
    }
  };
  const back = info.kind === "public" ? "You can join again at any time." : "You need a new invite to come back.";
  const alone = info.memberCount <= 1 ? " You are the last one here: nobody will be able to read it any more." : "";
  return (
    <Dialog
      title={`Leave ${info.name}?`}
      intro={`You no longer receive what is written here. ${back}${alone}`}
      isOpen
      onClose={onClose}
      size="s"
      role="alertdialog"
      actions={
        <>
          <Button onPress={onClose}>Stay</Button>
          <Button variant="danger" busy={busy} onPress={() => void leave()}>
            Leave
          </Button>
        </>
      }
    >
      {error && <Notice tone="danger">{error}</Notice>}
    </Dialog>
  );
}
