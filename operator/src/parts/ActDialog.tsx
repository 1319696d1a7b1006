import { type FormEvent, type ReactNode, useState } from "react";
import { Form } from "react-aria-components";
import { Button } from "../../../web/src/ui/Button.tsx";
import { Dialog } from "../../../web/src/ui/Dialog.tsx";
import { Field } from "../../../web/src/ui/Field.tsx";
import { Notice } from "../../../web/src/ui/Notice.tsx";
import { refresh, useAnswer } from "../model/queries.ts";
import { type Act, endAsking, useAsked, type Values } from "./acts.ts";
import { ActFields } from "./ActFields.tsx";
import { sayDone } from "./Undo.tsx";
import { sentenceOf } from "./words.ts";
import styles from "./ActDialog.module.css";

/** The dialog before every act; mounted once by the frame. */
export function Acts() {
  const act = useAsked();
  return act && <ActDialog key={act.title} act={act} />;
}

function ActDialog({ act }: { act: Act }) {
  const [values, setValues] = useState<Values>(() => initialOf(act));
  const [typed, setTyped] = useState("");
  const [end, setEnd] = useState<{ answer: unknown } | null>(null);
  const { run, busy, refusal } = useRun(act, (answer) => (act.shows ? setEnd({ answer }) : endAsking()));
  const counted = useCounted(act, values);
  if (end && act.shows) return <End title={act.title}>{act.shows(end.answer)}</End>;
  const isReady = counted.isAllowed && isComplete(act, values) && (act.typed === undefined || typed === act.typed);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isReady && !busy) run(values);
  };
  return (
    <Dialog
      isOpen
      onClose={endAsking}
      title={act.title}
      intro={counted.consequence}
      role={act.isDangerous ? "alertdialog" : "dialog"}
      actions={
        <>
          <Button onPress={endAsking}>Cancel</Button>
          <Button
            type="submit"
            form="act"
            variant={act.isDangerous ? "danger" : "primary"}
            busy={busy}
            isDisabled={!isReady}
          >
            {act.label}
          </Button>
        </>
      }
    >
      <Form id="act" className={styles["form"] ?? ""} onSubmit={submit}>
        <ActFields fields={act.fields ?? []} values={values} onChange={setValues} />
        {act.typed !== undefined && (
          <Field
            label={`Type ${act.typed} to go on`}
            value={typed}
            onChange={setTyped}
            mono
            autoCapitalize="none"
            autoComplete="off"
          />
        )}
        {act.asksReason && (
          <Field
            label="Reason"
            hint="Kept in the audit log."
            value={values["reason"] ?? ""}
            onChange={(reason) => setValues({ ...values, reason })}
            autoFocus={!act.fields?.length && act.typed === undefined}
            maxLength={1_000}
          />
        )}
        {(refusal || counted.refusal) && <Notice tone="danger">{refusal || counted.refusal}</Notice>}
      </Form>
    </Dialog>
  );
}

interface Counted {
  consequence: ReactNode;
  isAllowed: boolean;
  refusal?: string;
}

/** What will happen, and whether it may, by the server's answer where the act has a question for it. */
function useCounted({ counts, consequence }: Act, values: Values): Counted {
  const { path, query } = counts?.question(values) ?? { path: "", query: {} };
  const { data, error } = useAnswer<unknown>(path, { query, enabled: counts !== undefined });
  if (!counts) return { consequence, isAllowed: true };
  if (error) return { consequence: undefined, isAllowed: false, refusal: sentenceOf(error) };
  const isThere = data !== undefined;
  const text = isThere ? counts.says(data, values) : "Counting what this reaches…";
  return { consequence: <span role="status">{text}</span>, isAllowed: isThere && counts.allows(data, values) };
}

function End({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Dialog
      isOpen
      onClose={endAsking}
      title={title}
      role="alertdialog"
      actions={
        <Button variant="primary" onPress={endAsking} autoFocus>
          Done
        </Button>
      }
    >
      {children}
    </Dialog>
  );
}

/** Runs an act, and says afterwards that it was done. */
function useRun(act: Act, onDone: (answer: unknown) => void) {
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState("");
  const run = async (values: Values) => {
    setBusy(true);
    setRefusal("");
    try {
      const answer = await act.run(values);
      const text = act.says ? act.says(answer) : act.done;
      if (text) sayDone(text, act.undo && (async () => act.undo?.(answer, values)));
      onDone(answer);
      await refresh();
    } catch (error) {
      setRefusal(sentenceOf(error));
      setBusy(false);
    }
  };
  return { run: (values: Values) => void run(values), busy, refusal };
}

function initialOf({ fields = [] }: Act): Values {
  return Object.fromEntries(fields.map(({ name, initial, options }) => [name, initial ?? options?.[0]?.value ?? ""]));
}

function isComplete({ fields = [], asksReason }: Act, values: Values): boolean {
  const needed = fields.filter(({ isOptional }) => !isOptional).map(({ name }) => name);
  return [...needed, ...(asksReason ? ["reason"] : [])].every((name) => (values[name] ?? "").trim() !== "");
}
