import type { MatrixClient } from "matrix-js-sdk";
import { useState } from "react";
import { pushState, type PushState, sendTest, startPush, stopPush } from "../../models/push/device.ts";
import { Button } from "../../ui/Button.tsx";
import { attempt, toast } from "../../ui/Toast.tsx";
import { Section, SwitchRow } from "./controls.tsx";
import type { ClientProps } from "./tabs.ts";

const HINTS: Readonly<Record<PushState, string>> = {
  unsupported: "This browser can not show notifications of a site that is closed.",
  blocked: "Your browser blocks notifications of this site. Allow them beside the address, then come back.",
  off: "Your browser will ask whether you allow it.",
  on: "Also while Parley is closed. Of encrypted messages you then see who wrote, and where.",
};

/** Whether this device tells of what arrives; the permission is asked for here and nowhere else. */
export function DeviceNotifications({ client }: ClientProps) {
  const [state, setState] = useState(pushState);
  const [busy, setBusy] = useState(false);
  const toggle = async (on: boolean) => {
    setBusy(true);
    const act = on ? startPush : stopPush;
    await attempt("Notifications could not be changed", async () => setState(await act(client)));
    setBusy(false);
  };
  return (
    <Section title="On this device">
      <SwitchRow
        label="Show notifications"
        hint={HINTS[state]}
        on={state === "on"}
        disabled={busy || state === "unsupported" || state === "blocked"}
        onChange={(on) => void toggle(on)}
      />
      {state === "on" && <Test client={client} />}
    </Section>
  );
}

function Test({ client }: { client: MatrixClient }) {
  const [busy, setBusy] = useState(false);
  const send = async () => {
    setBusy(true);
    const sent = await attempt("The test could not be sent", () => sendTest(client));
    setBusy(false);
    if (sent) toast("A notification is on its way");
  };
  return (
    <div>
      <Button busy={busy} onPress={() => void send()}>
        Send a test notification
      </Button>
    </div>
  );
}
