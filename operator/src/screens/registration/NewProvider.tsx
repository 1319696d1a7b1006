import { type FormEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { Form } from "react-aria-components";
import { Button } from "../../../../web/src/ui/Button.tsx";
import { Notice } from "../../../../web/src/ui/Notice.tsx";
import { Tip } from "../../../../web/src/ui/Tooltip.tsx";
import { call } from "../../api.ts";
import { Screen, Section } from "../../frame/Screen.tsx";
import { useHolds } from "../../frame/context.ts";
import { useAnswer } from "../../model/queries.ts";
import { Shown } from "../../parts/Shown.tsx";
import { NeedsRole } from "../../parts/States.tsx";
import { useWriteBar } from "../../parts/useWriteBar.ts";
import { sentenceOf } from "../../parts/words.ts";
import { bodyOf, type Drafted, type DraftFields, FIELDS, idFault, idFrom, issuerFault } from "./drafting.ts";
import { ClientFields, ProviderFields } from "./DraftForms.tsx";
import { Places } from "./Places.tsx";
import type { Providers } from "./shapes.ts";
import { Checks } from "./Checks.tsx";
import styles from "./Settings.module.css";

const TITLES = ["The provider", "What it has to know, and what it gave", "The test, and the setting"] as const;

/** A provider is described, tried, and ends as a setting: nothing of it is stored. See docs/decisions/0068-the-wizard-ends-with-a-setting.md. */
export default function NewProvider() {
  const isOwner = useHolds("owner");
  const providers = useAnswer<Providers>("/settings/providers");
  return (
    <Screen title="New provider" back={{ to: "/registration/providers", label: "Providers" }}>
      {isOwner ? (
        <Shown answer={providers}>{(data) => <Wizard providers={data} />}</Shown>
      ) : (
        <NeedsRole least="owner" />
      )}
    </Screen>
  );
}

function Wizard({ providers }: { providers: Providers }) {
  const [fields, setFields] = useState<DraftFields>(FIELDS);
  const [step, setStep] = useState(0);
  const test = useTest(fields, () => setStep(2));
  const others = providers.items.map(({ id }) => id);
  const set = (changed: Partial<DraftFields>) =>
    setFields((before) => ({
      ...before,
      ...(changed.name !== undefined && before.id === idFrom(before.name) ? { id: idFrom(changed.name) } : {}),
      ...changed,
    }));
  const filled = (...names: (keyof DraftFields)[]) => names.every((name) => fields[name].trim() !== "");
  const isRight = !idFault(fields.id, others) && /^https?:\/\/./.test(fields.issuer) && !issuerFault(fields.issuer);
  if (step === 2 && test.result)
    return (
      <Step step={step}>
        <Result result={test.result} fields={fields}>
          <Acts
            onBack={() => setStep(1)}
            label="Test again"
            busy={test.busy}
            onPress={test.run}
            refusal={test.refusal}
          />
        </Result>
      </Step>
    );
  const next = step === 0 ? () => setStep(1) : test.run;
  const isReady = step === 0 ? filled("name", "id") && isRight : filled("client_id");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isReady && !test.busy) next();
  };
  return (
    <Step step={step}>
      <Form className={styles["form"] ?? ""} onSubmit={submit}>
        {step === 0 ? (
          <ProviderFields fields={fields} others={others} onChange={set} />
        ) : (
          <ClientFields fields={fields} addresses={providers.new} onChange={set} />
        )}
        <Acts
          {...(step === 0 ? {} : { onBack: () => setStep(0) })}
          label={step === 0 ? "Next" : "Test"}
          busy={test.busy}
          isDisabled={!isReady}
          asks={step === 1}
          refusal={test.refusal}
        />
      </Form>
    </Step>
  );
}

/** One part of the wizard. Whoever comes to it is at its beginning, with the keyboard too. */
function Step({ step, children }: { step: number; children: ReactNode }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (step === 2) place.current?.focus();
  }, [step]);
  return (
    <div ref={place} tabIndex={-1} className={styles["step"]}>
      <Section title={TITLES[step] ?? ""} intro={`Step ${step + 1} of ${TITLES.length}`}>
        {children}
      </Section>
    </div>
  );
}

/** Has the server try what is described. What it found holds until it is tried again. */
function useTest(fields: DraftFields, onDone: () => void) {
  const [result, setResult] = useState<Drafted | null>(null);
  const [refusal, setRefusal] = useState("");
  const [busy, setBusy] = useState(false);
  const run = async () => {
    setBusy(true);
    setRefusal("");
    try {
      setResult(await call<Drafted>("/settings/providers/draft", { method: "POST", body: bodyOf(fields) }));
      onDone();
    } catch (error) {
      setRefusal(sentenceOf(error));
    }
    setBusy(false);
  };
  return { result, refusal, busy, run: () => void run() };
}

/** `children`: what can be done about what the test found. */
function Result({ result, fields, children }: { result: Drafted; fields: DraftFields; children: ReactNode }) {
  return (
    <div className={styles["result"]}>
      <Checks trial={result} />
      <div>{children}</div>
      {!result.ok && (
        <p className={styles["origin"]}>
          The setting below can be taken all the same: where pods are let out to a provider only once it is set, test it
          after the restart.
        </p>
      )}
      <Places result={result} secret={fields.client_secret} />
    </div>
  );
}

interface ActsProps {
  onBack?: () => void;
  label: string;
  busy: boolean;
  isDisabled?: boolean;
  /** Whether the server is asked, which it has to be there for. */
  asks?: boolean;
  /** Without it the button submits the form. */
  onPress?: () => void;
  refusal: string;
}

function Acts({ onBack, label, busy, isDisabled = false, asks = true, onPress, refusal }: ActsProps) {
  const bar = useWriteBar("owner");
  const isBarred = asks && bar !== null;
  const button = (
    <Button
      variant="primary"
      busy={busy}
      isDisabled={isDisabled || isBarred}
      {...(onPress ? { onPress } : { type: "submit" as const })}
    >
      {label}
    </Button>
  );
  return (
    <>
      {refusal && (
        <Notice tone="danger" title="It could not be tried">
          {refusal}
        </Notice>
      )}
      <div className={styles["acts"]}>
        {onBack && <Button onPress={onBack}>Back</Button>}
        {isBarred ? <Tip label={bar}>{button}</Tip> : button}
      </div>
    </>
  );
}
