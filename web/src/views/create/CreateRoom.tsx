import { useState } from "react";
import { Label, Radio, RadioGroup } from "react-aria-components";
import { useLocation } from "wouter";
import { useMessenger } from "../../app/context.ts";
import type { NewRoom } from "../../models/messenger.ts";
import { aliasFor } from "../../models/rooms/alias.ts";
import { roomPath } from "../../models/routes.ts";
import type { Person } from "../../models/timeline/item.ts";
import { Button } from "../../ui/Button.tsx";
import { Dialog } from "../../ui/Dialog.tsx";
import { Field } from "../../ui/Field.tsx";
import { Icon } from "../../ui/Icon.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { reasonOf } from "../../ui/Toast.tsx";
import { PeoplePicker } from "../people/PeoplePicker.tsx";
import styles from "./CreateRoom.module.css";

/** A new channel: private and encrypted unless it is opened to everyone, with one sentence on who will read it. */
export function CreateRoom({ onClose }: { onClose: () => void }) {
  const messenger = useMessenger();
  const [, navigate] = useLocation();
  const [name, setName] = useState("");
  const [topic, setTopic] = useState("");
  const [access, setAccess] = useState<NewRoom["access"]>("private");
  const [alias, setAlias] = useState<string | null>(null);
  const [people, setPeople] = useState<Person[]>([]);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const shownAlias = alias ?? aliasFor(name);
  const create = async () => {
    setBusy(true);
    setError(null);
    const invite = people.map((person) => person.id);
    const room: NewRoom = { name: name.trim(), topic: topic.trim(), access, invite };
    try {
      const id = await messenger.createRoom(access === "public" ? { ...room, alias: shownAlias } : room);
      onClose();
      navigate(roomPath(id));
    } catch (failure) {
      setError(reasonOf(failure));
      setBusy(false);
    }
  };
  return (
    <Dialog
      title="New channel"
      isOpen
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>Cancel</Button>
          <Button variant="primary" isDisabled={name.trim() === ""} busy={busy} onPress={() => void create()}>
            Create channel
          </Button>
        </>
      }
    >
      <Field label="Name" value={name} onChange={setName} autoFocus maxLength={80} placeholder="release-train" />
      <Field label="Topic (optional)" value={topic} onChange={setTopic} maxLength={200} />
      <Access access={access} onChange={setAccess} />
      {access === "public" && (
        <Field
          label="Address"
          value={shownAlias}
          onChange={(value) => setAlias(aliasFor(value))}
          prefix="#"
          suffix={`:${messenger.workspace}`}
          autoCapitalize="none"
          spellCheck="false"
          hint="Others find and link to the channel by it. May be empty."
        />
      )}
      {access === "private" && (
        <div className={styles["invite"]}>
          <span className={styles["label"]}>People to invite</span>
          <PeoplePicker label="People to invite" chosen={people} onChange={setPeople} />
        </div>
      )}
      {error && <Notice tone="danger">{error}</Notice>}
    </Dialog>
  );
}

function Access({ access, onChange }: { access: NewRoom["access"]; onChange: (access: NewRoom["access"]) => void }) {
  return (
    <RadioGroup
      value={access}
      onChange={(value) => onChange(value as NewRoom["access"])}
      className={styles["group"] ?? ""}
    >
      <Label className={styles["label"] ?? ""}>Who can read it</Label>
      <Radio value="private" className={styles["radio"] ?? ""}>
        <Icon name="lock" />
        <span>
          <strong>Private</strong>
          <span>Only those who are invited. Encrypted end to end: the server cannot read it.</span>
        </span>
      </Radio>
      <Radio value="public" className={styles["radio"] ?? ""}>
        <Icon name="hash" />
        <span>
          <strong>Open</strong>
          <span>Anyone on this server can find it, join and read everything. Not encrypted.</span>
        </span>
      </Radio>
    </RadioGroup>
  );
}
