import type { IPushRules, MatrixClient } from "matrix-js-sdk";
import { type FormEvent, useCallback, useState } from "react";
import {
  addKeyword,
  keywordsOf,
  removeKeyword,
  setSwitch,
  type SwitchId,
  switchesOf,
} from "../../models/session/pushRules.ts";
import { Button, IconButton } from "../../ui/Button.tsx";
import { Field } from "../../ui/Field.tsx";
import { attempt } from "../../ui/Toast.tsx";
import { Section, SwitchRow } from "./controls.tsx";
import { DeviceNotifications } from "./DeviceNotifications.tsx";
import { Loading } from "./Loading.tsx";
import type { ClientProps } from "./tabs.ts";
import { useLoaded } from "./useLoaded.ts";
import styles from "./NotificationsTab.module.css";

/** What this device shows, and the push rules of the account, which hold on every device and in every app. */
export function NotificationsTab({ client }: ClientProps) {
  return (
    <>
      <DeviceNotifications client={client} />
      <Rules client={client} />
    </>
  );
}

function Rules({ client }: ClientProps) {
  const rules = useLoaded(useCallback(() => client.getPushRules(), [client]));
  return (
    <Loading loaded={rules}>
      {(value) => (
        <>
          <Switches client={client} rules={value} onChange={rules.put} />
          <Keywords client={client} rules={value} onChange={rules.put} />
        </>
      )}
    </Loading>
  );
}

interface RulesProps {
  client: MatrixClient;
  rules: IPushRules;
  onChange: (rules: IPushRules) => void;
}

function Switches({ client, rules, onChange }: RulesProps) {
  const [saving, setSaving] = useState<SwitchId | null>(null);
  const switches = switchesOf(rules);
  const silenced = switches.some(({ id, on }) => id === "everything" && !on);
  const toggle = async (id: SwitchId, on: boolean) => {
    setSaving(id);
    await attempt("This could not be saved", async () => onChange(await setSwitch(client, id, on)));
    setSaving(null);
  };
  return (
    <Section title="What counts as unread" intro="These hold on all your devices. A room can have its own setting.">
      {switches.map(({ id, label, hint, on }) => (
        <SwitchRow
          key={id}
          label={label}
          hint={hint}
          on={on}
          disabled={saving !== null || (silenced && id !== "everything")}
          onChange={(next) => void toggle(id, next)}
        />
      ))}
    </Section>
  );
}

function Keywords({ client, rules, onChange }: RulesProps) {
  const [word, setWord] = useState("");
  const words = keywordsOf(rules);
  const trimmed = word.trim();
  const add = async (event: FormEvent) => {
    event.preventDefault();
    const added = await attempt("The word could not be added", async () => onChange(await addKeyword(client, trimmed)));
    if (added) setWord("");
  };
  const remove = (gone: string) =>
    attempt("The word could not be removed", async () => onChange(await removeKeyword(client, gone)));
  return (
    <Section title="Words" intro="A message with one of these counts as a mention, in rooms that are not encrypted.">
      {words.length > 0 && (
        <ul className={styles.words} aria-label="Words">
          {words.map((each) => (
            <li key={each}>
              {each}
              <IconButton
                icon="close"
                label={`Remove ${each}`}
                size="compact"
                iconSize={14}
                onPress={() => void remove(each)}
              />
            </li>
          ))}
        </ul>
      )}
      <form className={styles.add} onSubmit={(event) => void add(event)}>
        <Field label="New word" value={word} onChange={setWord} autoComplete="off" />
        <Button type="submit" isDisabled={trimmed === "" || words.includes(trimmed)}>
          Add
        </Button>
      </form>
    </Section>
  );
}
