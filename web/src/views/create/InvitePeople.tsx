import { useEffect, useState } from "react";
import { useRoom, useSnapshot } from "../../app/context.ts";
import type { RoomModel } from "../../models/room/model.ts";
import type { Person } from "../../models/timeline/item.ts";
import { Button } from "../../ui/Button.tsx";
import { Dialog } from "../../ui/Dialog.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { reasonOf, toast } from "../../ui/Toast.tsx";
import { count } from "../../models/format/words.ts";
import { PeoplePicker } from "../people/PeoplePicker.tsx";

export function InvitePeople({ roomId, onClose }: { roomId: string; onClose: () => void }) {
  const room = useRoom(roomId);
  return room && <InviteDialog room={room} onClose={onClose} />;
}

/** Invites people to a room. What they will be able to read is said before. */
function InviteDialog({ room, onClose }: { room: RoomModel; onClose: () => void }) {
  const info = useSnapshot(room.info);
  const { members } = useSnapshot(room.members);
  const [people, setPeople] = useState<Person[]>([]);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => void room.loadMembers(), [room]);
  const invite = async () => {
    setBusy(true);
    setError(null);
    try {
      await room.invite(people.map((person) => person.id));
      toast(`${count(people.length, "invite")} sent`);
      onClose();
    } catch (failure) {
      setError(reasonOf(failure));
      setBusy(false);
    }
  };
  const present = members.filter((member) => member.membership !== "ban").map((member) => member.id);
  return (
    <Dialog
      title={`Invite to ${info.name}`}
      intro={
        info.encrypted ? "They can read what is written after they were invited." : "They can read the whole history."
      }
      isOpen
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>Cancel</Button>
          <Button variant="primary" isDisabled={people.length === 0} busy={busy} onPress={() => void invite()}>
            Invite
          </Button>
        </>
      }
    >
      <PeoplePicker label="People to invite" chosen={people} onChange={setPeople} without={present} />
      {error && <Notice tone="danger">{error}</Notice>}
    </Dialog>
  );
}
