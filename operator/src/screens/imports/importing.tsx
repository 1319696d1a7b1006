/** What every import of a file does: look at what would become of it, then have a job do it. */
import { Link } from "@tanstack/react-router";
import { type FormEvent, type ReactNode, useState } from "react";
import { FileTrigger, Label, Radio, RadioGroup } from "react-aria-components";
import { Button } from "../../../../web/src/ui/Button.tsx";
import { Notice } from "../../../../web/src/ui/Notice.tsx";
import { call, pathOf } from "../../api.ts";
import { refresh } from "../../model/queries.ts";
import { count, sentenceOf } from "../../parts/words.ts";
import { SimpleTable } from "../../table/SimpleTable.tsx";
import styles from "./NewImport.module.css";
import type { Report } from "./shapes.ts";

export interface Chosen {
  name: string;
  text: string;
}

/** What stands between the columns of a CSV file: whichever its first line has most of. */
export function separatorOf(text: string): string {
  const first = text.slice(0, text.search(/[\r\n]|$/));
  const count = (separator: string) => first.split(separator).length;
  return [",", ";", "\t"].reduce((most, each) => (count(each) > count(most) ? each : most));
}

export interface Sent {
  path: "/imports/people" | "/imports/channels";
  /** Null while something is missing. What was found holds for this object alone: keep it while nothing changes. */
  body: object | null;
}

export interface Importing {
  look(event: FormEvent): void;
  run(): void;
  report: Report | null;
  refusal: string;
  busy: boolean;
}

/** The two steps. What was found holds only for what it was found for. */
export function useImport({ path, body }: Sent): Importing {
  const [found, setFound] = useState<{ body: object; report: Report } | null>(null);
  const [refusal, setRefusal] = useState("");
  const [busy, setBusy] = useState(false);
  const send = async (isDry: boolean) => {
    if (!body) return;
    setBusy(true);
    setRefusal("");
    try {
      const report = await call<Report>(path, { method: "POST", query: { dry_run: isDry }, body });
      setFound({ body, report });
      if (!isDry) await refresh();
    } catch (error) {
      setRefusal(sentenceOf(error));
    }
    setBusy(false);
  };
  return {
    look(event) {
      event.preventDefault();
      void send(true);
    },
    run: () => void send(false),
    report: found?.body === body ? (found?.report ?? null) : null,
    refusal,
    busy,
  };
}

interface FileProps {
  label: string;
  file: Chosen | null;
  onRead: (file: Chosen) => void;
}

export function FileField({ label, file, onRead }: FileProps) {
  const read = async (list: FileList | null) => {
    const [first] = list ?? [];
    if (first) onRead({ name: first.name, text: await first.text() });
  };
  return (
    <div className={styles["file"]}>
      <FileTrigger onSelect={(list) => void read(list)}>
        <Button icon="file">{label}</Button>
      </FileTrigger>
      <span>{file ? file.name : "No file is chosen."}</span>
    </div>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  options: readonly { value: string; label: string }[];
  onChange: (value: string) => void;
}

export function Choice({ label, value, options, onChange }: ChoiceProps) {
  return (
    <RadioGroup value={value} onChange={onChange} className={styles["formats"] ?? ""}>
      <Label className={styles["label"] ?? ""}>{label}</Label>
      {options.map((each) => (
        <Radio key={each.value} value={each.value} className={styles["format"] ?? ""}>
          <span className={styles["dot"]} />
          {each.label}
        </Radio>
      ))}
    </RadioGroup>
  );
}

interface StepsProps {
  importing: Importing;
  isReady: boolean;
  /** What is made: "account". */
  noun: string;
  /** What is told beside the counts. */
  children?: (report: Report) => ReactNode;
}

/** The two buttons, and what came of them. */
export function Steps({ importing: { busy, report, refusal, run }, isReady, noun, children }: StepsProps) {
  return (
    <>
      <div className={styles["file"]}>
        <Button type="submit" busy={busy} isDisabled={!isReady}>
          Try without changing anything
        </Button>
        {report?.dry_run && report.creates > 0 && (
          <Button variant="primary" busy={busy} isDisabled={!isReady} onPress={run}>
            Make {count(report.creates, noun)}
          </Button>
        )}
      </div>
      {refusal && <Notice tone="danger">{refusal}</Notice>}
      {report && (
        <Outcome report={report} noun={noun}>
          {children?.(report)}
        </Outcome>
      )}
    </>
  );
}

function Outcome({ report, noun, children }: { report: Report; noun: string; children: ReactNode }) {
  const { dry_run, rows, creates, problem_count, problems, import_id } = report;
  return (
    <div role="status" className={styles["outcome"]}>
      <Notice tone={problem_count > 0 ? "warn" : "ok"}>
        {dry_run ? "Would make" : "Is making"} {count(creates, noun)} of {count(rows, "row")}. {children}
        {problem_count === 0 ? "No row has a problem." : `${count(problem_count, "row")} with a problem.`}{" "}
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
