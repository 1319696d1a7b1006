import { useState } from "react";
import type { Member, RoomModel } from "../../models/room/model.ts";
import { Button } from "../../ui/Button.tsx";
import { Dialog } from "../../ui/Dialog.tsx";
import { Field } from "../../ui/Field.tsx";
import { attempt } from "../../ui/Toast.tsx";

export interface Removal {
  member: Member;
  how: "remove" | "ban";
}

/** Says what removing or banning does, and asks for a reason. */
export function RemoveDialog({ room, removal, onClose }: { room: RoomModel; removal: Removal; onClose: () => void }) {
  const { member, how } = removal;
  const [reason, setReason] = useState("");
  const ban = how === "ban";
  const act = () => {
    onClose();
    const { id } = member;
    void attempt(ban ? "Not banned" : "Not removed", () =>
      ban ? room.ban(id, reason.trim()) : room.remove(id, reason.trim()),
    );
  };
  return (
    <Dialog
      title={ban ? `Ban ${member.name}?` : `Remove ${member.name}?`}
      intro={
        ban
          ? "They leave the channel and cannot come back until the ban is lifted. They keep what they have already received."
          : "They leave the channel and need a new invite to come back. They keep what they have already received."
      }
      isOpen
      onClose={onClose}
      size="s"
      role="alertdialog"
      actions={
        <>
          <Button onPress={onClose}>Cancel</Button>
          <Button variant="danger" onPress={act}>
            {ban ? "Ban" : "Remove"}
          </Button>
        </>
      }
    >
      <Field label="Reason (members see it)" value={reason} onChange={setReason} maxLength={200} />
    </Dialog>
  );
}
