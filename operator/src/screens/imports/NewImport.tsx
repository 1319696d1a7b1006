import { Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { FileTrigger, Form, Label, Radio, RadioGroup } from "react-aria-components";
import { Button } from "../../../../web/src/ui/Button.tsx";
import { Field } from "../../../../web/src/ui/Field.tsx";
import { Notice } from "../../../../web/src/ui/Notice.tsx";
import { call, pathOf } from "../../api.ts";
import { Section } from "../../frame/Screen.tsx";
import { refresh } from "../../model/queries.ts";
import { useWriteBar } from "../../parts/useWriteBar.ts";
import { count, sentenceOf } from "../../parts/words.ts";
import { SimpleTable } from "../../table/SimpleTable.tsx";
import styles from "./NewImport.module.css";
import type { Report } from "./shapes.ts";

const FORMATS = [
  { value: "csv", label: "CSV, with a first line of names" },
  { value: "slack", label: "users.json of Slack" },
  { value: "mattermost", label: "JSONL of Mattermost" },
];

interface Chosen {
  name: string;
  text: string;
}

/** People from a file: first what would become of each row, then the job. */
export function NewImport() {
  const [file, setFile] = useState<Chosen | null>(null);
  const [fields, setFields] = useState({
    format: "csv",
    username_column: "username",
    display_name_column: "",
    reason: "",
  });
  const { look, run, report, refusal, busy } = useImport(file, fields);
  const bar = useWriteBar();
  const set = (name: keyof typeof fields) => (value: string) => setFields({ ...fields, [name]: value });
  const isReady = file !== null && fields.reason.trim() !== "" && bar === null;
  return (
    <Section
      title="People from a file"
      intro="They have no password until they follow their link. Whoever has an account already keeps it as it is."
    >
      <Form className={styles["form"] ?? ""} onSubmit={look}>
        <RadioGroup value={fields.format} onChange={set("format")} className={styles["formats"] ?? ""}>
          <Label className={styles["label"] ?? ""}>Kind of file</Label>
          {FORMATS.map(({ value, label }) => (
            <Radio key={value} value={value} className={styles["format"] ?? ""}>
              <span className={styles["dot"]} />
              {label}
            </Radio>
          ))}
        </RadioGroup>
        <div className={styles["file"]}>
          <FileTrigger onSelect={(list) => void read(list, setFile)}>
            <Button icon="file">Choose a file</Button>
          </FileTrigger>
          <span>{file ? file.name : "No file is chosen."}</span>
        </div>
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
        <div className={styles["file"]}>
          <Button type="submit" busy={busy} isDisabled={!isReady}>
            Try without changing anything
          </Button>
          {report?.dry_run && report.creates > 0 && (
            <Button variant="primary" busy={busy} isDisabled={!isReady} onPress={run}>
              Make {count(report.creates, "account")}
            </Button>
          )}
        </div>
        {refusal && <Notice tone="danger">{refusal}</Notice>}
        {report && <Outcome report={report} />}
      </Form>
    </Section>
  );
}

async function read(list: FileList | null, onRead: (file: Chosen) => void): Promise<void> {
  const [file] = list ?? [];
  if (file) onRead({ name: file.name, text: await file.text() });
}

/** The two steps. What was found holds only for the file and the fields that it was found for. */
function useImport(file: Chosen | null, fields: Readonly<Record<string, string>>) {
  const [found, setFound] = useState<{ file: unknown; fields: unknown; report: Report } | null>(null);
  const [refusal, setRefusal] = useState("");
  const [busy, setBusy] = useState(false);
  const send = async (isDry: boolean) => {
    setBusy(true);
    setRefusal("");
    try {
      const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value.trim() !== ""));
      const body = { ...given, text: file?.text ?? "" };
      const report = await call<Report>("/imports/people", { method: "POST", query: { dry_run: isDry }, body });
      setFound({ file, fields, report });
      if (!isDry) await refresh();
    } catch (error) {
      setRefusal(sentenceOf(error));
    }
    setBusy(false);
  };
  return {
    look(event: FormEvent) {
      event.preventDefault();
      void send(true);
    },
    run: () => void send(false),
    report: found?.file === file && found.fields === fields ? found.report : null,
    refusal,
    busy,
  };
}

function Outcome({ report }: { report: Report }) {
  const { dry_run, rows, creates, exists, problem_count, problems, import_id } = report;
  return (
    <div role="status" className={styles["outcome"]}>
      <Notice tone={problem_count > 0 ? "warn" : "ok"}>
        {dry_run ? "Would make" : "Is making"} {count(creates, "account")} of {count(rows, "row")}.{" "}
        {count(exists, "person", "people")} there already, {count(problem_count, "row")} with a problem.{" "}
        {import_id !== null && <Link to={pathOf`/imports/log/${String(import_id)}`}>What becomes of each</Link>}
      </Notice>
      {problems.length > 0 && (
        <SimpleTable
          label="Problems"
          items={problems}
          rowId={({ row, message }) => `${row} ${message}`}
          columns={[
            { id: "row", label: "Row", value: ({ row }) => row, atEnd: true },
            { id: "message", label: "Problem", value: ({ message }) => message },
          ]}
        />
      )}
    </div>
  );
}
