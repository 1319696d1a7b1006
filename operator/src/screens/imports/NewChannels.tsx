import { useMemo, useState } from "react";
import { Form } from "react-aria-components";
import { Field } from "../../../../web/src/ui/Field.tsx";
import { Section } from "../../frame/Screen.tsx";
import { useWriteBar } from "../../parts/useWriteBar.ts";
import { type Chosen, Choice, FileField, separatorOf, Steps, useImport } from "./importing.tsx";
import styles from "./NewImport.module.css";

const FORMATS = [
  { value: "csv", label: "CSV: name, topic, public, members" },
  { value: "slack", label: "channels.json or groups.json of Slack" },
  { value: "mattermost", label: "JSONL of Mattermost" },
];
const KINDS = [
  { value: "public", label: "Open: channels.json" },
  { value: "private", label: "Private: groups.json" },
];

/** Channels from a file, with who is in them. What was said there stays there. */
export function NewChannels() {
  const [channels, setChannels] = useState<Chosen | null>(null);
  const [users, setUsers] = useState<Chosen | null>(null);
  const [fields, setFields] = useState({ format: "slack", kind: "public", owner: "", reason: "" });
  const { format, kind, owner, reason } = fields;
  const isSlack = format === "slack";
  const body = useMemo(
    () =>
      channels && {
        format,
        channels: channels.text,
        owner: owner.trim(),
        reason,
        ...(isSlack ? { users: users?.text ?? "[]", public: kind === "public" } : {}),
        ...(format === "csv" ? { separator: separatorOf(channels.text) } : {}),
      },
    [channels, users, format, kind, owner, reason, isSlack],
  );
  const importing = useImport({ path: "/imports/channels", body });
  const bar = useWriteBar();
  const set = (name: keyof typeof fields) => (value: string) => setFields({ ...fields, [name]: value });
  const isFilled = channels !== null && (!isSlack || users !== null) && owner.trim() !== "" && reason.trim() !== "";
  return (
    <Section
      title="Channels from a file"
      intro="Each becomes a room with its name, topic and members, and without what was said in it. Import the people first: who has no account is left out."
    >
      <Form className={styles["form"] ?? ""} onSubmit={importing.look}>
        <Choice label="Kind of file" value={format} options={FORMATS} onChange={set("format")} />
        {isSlack && <Choice label="Kind of channels" value={kind} options={KINDS} onChange={set("kind")} />}
        <FileField label="Choose the file of channels" file={channels} onRead={setChannels} />
        {isSlack && <FileField label="Choose users.json" file={users} onRead={setUsers} />}
        <Field
          label="Owner"
          hint="A user id. Makes the rooms, and has the power in them."
          placeholder="@ana:example.org"
          value={owner}
          onChange={set("owner")}
          autoCapitalize="none"
        />
        <Field label="Reason" hint="Kept in the audit log." value={reason} onChange={set("reason")} />
        <Steps importing={importing} isReady={isFilled && bar === null} noun="room" />
      </Form>
    </Section>
  );
}
