import { useCallback, useState, useSyncExternalStore } from "react";
import { followPrivacy, isTold, type PrivacyChoice, setTold } from "../../models/session/privacy.ts";
import { attempt } from "../../ui/Toast.tsx";
import { Section, SwitchRow } from "./controls.tsx";
import type { ClientProps } from "./tabs.ts";

const CHOICES: readonly { what: PrivacyChoice; label: string; hint: string }[] = [
  {
    what: "delivery_receipts",
    label: "Tell senders when their messages arrive",
    hint: "In small rooms: that a device of yours has the message, before you read it.",
  },
  {
    what: "decryption_reports",
    label: "Count messages that could not be decrypted",
    hint: "Numbers alone, for who runs this server: no room, no sender, no message.",
  },
];

/** What others learn from the person's devices. */
export function PrivacySection({ client }: ClientProps) {
  return (
    <Section title="What others learn" intro="These hold on all your devices.">
      {CHOICES.map((choice) => (
        <PrivacySwitch key={choice.what} client={client} {...choice} />
      ))}
    </Section>
  );
}

function PrivacySwitch({ client, what, label, hint }: ClientProps & (typeof CHOICES)[number]) {
  const follow = useCallback((changed: () => void) => followPrivacy(client, changed), [client]);
  const on = useSyncExternalStore(follow, () => isTold(client, what));
  const [saving, setSaving] = useState(false);
  const toggle = async (next: boolean) => {
    setSaving(true);
    await attempt("This could not be saved", () => setTold(client, what, next));
    setSaving(false);
  };
  return <SwitchRow label={label} hint={hint} on={on} disabled={saving} onChange={(next) => void toggle(next)} />;
}
