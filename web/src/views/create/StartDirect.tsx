import { useState } from "react";
import { useLocation } from "wouter";
import { useMessenger, useSnapshot } from "../../app/context.ts";
import { roomPath } from "../../models/routes.ts";
import type { Person } from "../../models/timeline/item.ts";
import { Button } from "../../ui/Button.tsx";
import { Dialog } from "../../ui/Dialog.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { reasonOf } from "../../ui/Toast.tsx";
import { PeoplePicker } from "../people/PeoplePicker.tsx";

/** Begins a conversation with one person or a few; an existing one with the same people is opened instead. */
export function StartDirect({ onClose }: { onClose: () => void }) {
  const messenger = useMessenger();
  const me = useSnapshot(messenger.me);
  const [, navigate] = useLocation();
  const [people, setPeople] = useState<Person[]>([]);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const start = async () => {
    setBusy(true);
    setError(null);
    try {
      const id = await messenger.startDirect(people.map((person) => person.id));
      onClose();
      navigate(roomPath(id));
    } catch (failure) {
      setError(reasonOf(failure));
      setBusy(false);
    }
  };
  return (
    <Dialog
      title="New direct message"
      intro="Encrypted end to end. Only the people you choose can read it."
      isOpen
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>Cancel</Button>
          <Button variant="primary" isDisabled={people.length === 0} busy={busy} onPress={() => void start()}>
            Start
          </Button>
        </>
      }
    >
      <PeoplePicker label="To" chosen={people} onChange={setPeople} without={[me.id]} />
      {error && <Notice tone="danger">{error}</Notice>}
    </Dialog>
  );
}
