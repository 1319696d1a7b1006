import { useMemo, useState } from "react";
import { Form } from "react-aria-components";
import { Field } from "../../../../web/src/ui/Field.tsx";
import { Section } from "../../frame/Screen.tsx";
import { useWriteBar } from "../../parts/useWriteBar.ts";
import { count } from "../../parts/words.ts";
import { type Chosen, Choice, FileField, separatorOf, Steps, useImport } from "./importing.tsx";
import styles from "./NewImport.module.css";

const FORMATS = [
  { value: "csv", label: "CSV, with a first line of names" },
  { value: "slack", label: "users.json of Slack" },
  { value: "mattermost", label: "JSONL of Mattermost" },
];

/** People from a file: first what would become of each row, then the job. */
export function NewImport() {
  const [file, setFile] = useState<Chosen | null>(null);
  const [fields, setFields] = useState({
    format: "csv",
    username_column: "username",
    display_name_column: "",
    reason: "",
  });
  const body = useMemo(() => {
    const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value.trim() !== ""));
    return file && { ...given, text: file.text, ...(fields.format === "csv" && { separator: separatorOf(file.text) }) };
  }, [file, fields]);
  const importing = useImport({ path: "/imports/people", body });
  const bar = useWriteBar();
  const set = (name: keyof typeof fields) => (value: string) => setFields({ ...fields, [name]: value });
  const isReady = file !== null && fields.reason.trim() !== "" && bar === null;
  return (
    <Section
      title="People from a file"
      intro="They have no password until they follow their link. Whoever has an account already keeps it as it is."
    >
      <Form className={styles["form"] ?? ""} onSubmit={importing.look}>
        <Choice label="Kind of file" value={fields.format} options={FORMATS} onChange={set("format")} />
        <FileField label="Choose a file" file={file} onRead={setFile} />
        {fields.format === "csv" && (
          <div className={styles["columns"]}>
            <Field
              label="Column of the user name"
              value={fields.username_column}
              onChange={set("username_column")}
              autoCapitalize="none"
            />
            <Field
              label="Column of the name (optional)"
              value={fields.display_name_column}
              onChange={set("display_name_column")}
              autoCapitalize="none"
            />
          </div>
        )}
        <Field label="Reason" hint="Kept in the audit log." value={fields.reason} onChange={set("reason")} />
        <Steps importing={importing} isReady={isReady} noun="account">
          {({ exists }) => `${count(exists, "person", "people")} there already. `}
        </Steps>
      </Form>
    </Section>
  );
}
