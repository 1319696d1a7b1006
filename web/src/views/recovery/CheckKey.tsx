import type { MatrixClient } from "matrix-js-sdk";
import { type FormEvent, useState } from "react";
import { finishCheck, showKeyAgain } from "../../models/crypto/setupRun.ts";
import { Button } from "../../ui/Button.tsx";
import { Field } from "../../ui/Field.tsx";
import { Page } from "../auth/Page.tsx";
import { SkipSetup } from "./SkipSetup.tsx";
import form from "../auth/form.module.css";

interface CheckKeyProps {
  client: MatrixClient;
  asked: [number, number];
  onSkip: () => void;
}

export function CheckKey({ client, asked, onSkip }: CheckKeyProps) {
  const [typed, setTyped] = useState("");
  const [wrong, setWrong] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setWrong(!(await finishCheck(client, typed)));
  };
  return (
    <Page
      title="Is it saved?"
      width="wide"
      intro={`From what you saved, type groups ${asked[0]} and ${asked[1]}, or paste the whole key.`}
      footer={<SkipSetup onSkip={onSkip} />}
    >
      <form className={form.form} onSubmit={(event) => void submit(event)}>
        <Field
          label={`Groups ${asked[0]} and ${asked[1]}`}
          value={typed}
          onChange={(value) => (setWrong(false), setTyped(value))}
          mono
          autoComplete="off"
          autoCapitalize="none"
          spellCheck="false"
          autoFocus
          hint="Capital and small letters differ."
          error={wrong && `That is not what groups ${asked[0]} and ${asked[1]} say. Look at the key again and compare.`}
        />
        <div className={form.row}>
          <Button type="submit" variant="primary" size="large" isDisabled={typed.trim() === ""}>
            Check and finish
          </Button>
          <Button size="large" onPress={showKeyAgain}>
            Show the key again
          </Button>
        </div>
      </form>
    </Page>
  );
}
