import { useState } from "react";
import { groupsOf } from "../../models/crypto/recoveryKey.ts";
import { beginCheck } from "../../models/crypto/setupRun.ts";
import { Button } from "../../ui/Button.tsx";
import { Page } from "../auth/Page.tsx";
import { saveTextFile } from "./saveTextFile.ts";
import { SkipSetup } from "./SkipSetup.tsx";
import form from "../auth/form.module.css";
import styles from "./recovery.module.css";

export function ShowKey({ encoded, onSkip }: { encoded: string; onSkip: () => void }) {
  const groups = groupsOf(encoded);
  return (
    <Page
      title="Your recovery key"
      width="wide"
      intro="It opens your encrypted messages on a new device when no other device of yours is at hand. Nobody else has it, and it is shown this once: keep it where you keep your passwords."
      footer={<SkipSetup onSkip={onSkip} />}
    >
      <ol className={styles.key} aria-label="Recovery key, 12 groups of 4 characters">
        {groups.map((group, index) => (
          <li key={index} data-group={index + 1}>
            <span className={styles.number} aria-hidden="true">
              {index + 1}
            </span>
            <code>{group}</code>
          </li>
        ))}
      </ol>
      <div className={form.row}>
        <CopyKey text={groups.join(" ")} />
        <Button icon="download" onPress={() => saveTextFile("parley-recovery-key.txt", fileText(groups))}>
          Download
        </Button>
      </div>
      <div className={form.row}>
        <Button variant="primary" size="large" onPress={beginCheck}>
          I have saved it
        </Button>
      </div>
    </Page>
  );
}

function CopyKey({ text }: { text: string }) {
  const [state, setState] = useState<"idle" | "copied" | "failed">("idle");
  const copy = () => {
    navigator.clipboard.writeText(text).then(
      () => setState("copied"),
      () => setState("failed"),
    );
  };
  const label = { idle: "Copy", copied: "Copied", failed: "Copying is not allowed here" }[state];
  return (
    <>
      <Button icon={state === "copied" ? "check" : "copy"} onPress={copy}>
        {label}
      </Button>
      <output className="visuallyHidden">{state === "copied" && "The recovery key is on the clipboard."}</output>
    </>
  );
}

function fileText(groups: string[]): string {
  return `Parley recovery key\n${location.host}\n\n${groups.join(" ")}\n`;
}
