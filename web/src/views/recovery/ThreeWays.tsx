import type { MatrixClient } from "matrix-js-sdk";
import { type ReactNode, useEffect, useState } from "react";
import { Button as AriaButton } from "react-aria-components";
import { waitForSecrets } from "../../models/crypto/unlock.ts";
import { loadSessions } from "../../models/devices/devices.ts";
import { startOwnVerification } from "../../models/verification/verification.ts";
import { Icon, type IconName } from "../../ui/Icon.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { Spinner } from "../../ui/Spinner.tsx";
import { useSubmit } from "../auth/useSubmit.ts";
import { RecoveryKeyForm } from "./RecoveryKeyForm.tsx";
import styles from "./recovery.module.css";

interface ThreeWaysProps {
  client: MatrixClient;
  onUnlocked: () => void;
  onReset: () => void;
}

export function ThreeWays({ client, onUnlocked, onReset }: ThreeWaysProps) {
  const [keyOpen, setKeyOpen] = useState(false);
  const others = useVerifiedDevices(client);
  const device = useOtherDevice(client, onUnlocked);
  return (
    <>
      <ul className={styles.rows}>
        <li>
          <Choice
            icon="device"
            title="Use another device"
            hint={hintOf(others)}
            disabled={others === 0}
            busy={device.busy}
            onPress={() => device.submit()}
          />
          {device.waiting && (
            <div className={styles.inner}>
              <Spinner size={16} label="Waiting for your other device to send the keys…" />
            </div>
          )}
        </li>
        <li>
          <Choice
            icon="key"
            title="Use your recovery key"
            hint="The twelve groups of characters that you saved when you set up encryption."
            expanded={keyOpen}
            onPress={() => setKeyOpen(!keyOpen)}
          />
          {keyOpen && (
            <div className={styles.inner}>
              <RecoveryKeyForm client={client} onUnlocked={onUnlocked} />
            </div>
          )}
        </li>
        <li>
          <Choice
            icon="refresh"
            title="I have neither"
            hint="Start with a new identity. Older encrypted messages cannot be read on this device."
            onPress={onReset}
          />
        </li>
      </ul>
      {device.failure && <Notice tone="danger">{device.failure.text}</Notice>}
      {device.late && (
        <Notice tone="warn" title="The other device did not send the keys">
          This device is verified now. Keep the other one open and try again, or use your recovery key.
        </Notice>
      )}
    </>
  );
}

function Choice(props: {
  icon: IconName;
  title: string;
  hint: ReactNode;
  disabled?: boolean;
  busy?: boolean;
  expanded?: boolean;
  onPress: () => void;
}) {
  const { icon, title, hint, disabled = false, busy = false, expanded, onPress } = props;
  return (
    <AriaButton
      className={styles.choice ?? ""}
      isDisabled={disabled}
      isPending={busy}
      {...(expanded !== undefined && { "aria-expanded": expanded })}
      onPress={onPress}
    >
      <Icon name={icon} />
      <span className={styles.choiceText}>
        <span className={styles.choiceTitle}>{title}</span>
        <br />
        <span className={styles.choiceHint}>{hint}</span>
      </span>
      {busy ? <Spinner size={16} /> : <Icon name={expanded ? "chevronDown" : "chevronRight"} />}
    </AriaButton>
  );
}

/** How many other devices could vouch for this one; null until the server has said. */
function useVerifiedDevices(client: MatrixClient): number | null {
  const [count, setCount] = useState<number | null>(null);
  useEffect(() => {
    let current = true;
    loadSessions(client).then(
      (sessions) =>
        current && setCount(sessions.filter((each) => !each.isCurrent && each.trust !== "noEncryption").length),
      () => undefined,
    );
    return () => {
      current = false;
    };
  }, [client]);
  return count;
}

function hintOf(others: number | null): string {
  if (others === 0) return "No other device of yours is signed in.";
  return "Where you are signed in already, a question appears. Compare a few pictures, or scan a code.";
}

/** Asks the other devices; when one has verified this one, waits for its keys. */
function useOtherDevice(client: MatrixClient, onUnlocked: () => void) {
  const [state, setState] = useState<"idle" | "waiting" | "late">("idle");
  const ask = useSubmit("other", async () => {
    setState("idle");
    if ((await startOwnVerification()) !== "done") return;
    setState("waiting");
    const complete = await waitForSecrets(client);
    setState(complete ? "idle" : "late");
    if (complete) onUnlocked();
  });
  return { ...ask, waiting: state === "waiting", late: state === "late" };
}
