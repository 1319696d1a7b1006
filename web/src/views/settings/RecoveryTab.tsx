import { useCallback } from "react";
import { useLocation } from "wouter";
import { needOf } from "../../models/crypto/need.ts";
import { cryptoOf } from "../../models/crypto/setup.ts";
import { type EncryptionStatus, useEncryptionStatus } from "../../models/crypto/status.ts";
import { Button } from "../../ui/Button.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { Spinner } from "../../ui/Spinner.tsx";
import { Section } from "./controls.tsx";
import { Facts } from "./Facts.tsx";
import type { ClientProps } from "./tabs.ts";
import { useLoaded } from "./useLoaded.ts";
import styles from "./RecoveryTab.module.css";

export function RecoveryTab({ client }: ClientProps) {
  const { status } = useEncryptionStatus();
  if (!status) {
    return (
      <Section title="Recovery key">
        <Spinner label="Loading…" />
      </Section>
    );
  }
  return (
    <>
      <RecoveryKey status={status} />
      <Backup client={client} status={status} />
      <NewIdentity />
    </>
  );
}

function RecoveryKey({ status }: { status: EncryptionStatus }) {
  const [, navigate] = useLocation();
  const need = needOf(status.facts);
  if (need === "unlock") {
    return (
      <Section title="Recovery key">
        <Notice tone="warn" title="This device does not have your keys">
          Older encrypted messages are locked here, and others see this device as not verified.
        </Notice>
        <div>
          <Button variant="primary" onPress={() => navigate("/recover")}>
            Unlock
          </Button>
        </div>
      </Section>
    );
  }
  if (need === "create") {
    return (
      <Section title="Recovery key">
        <Notice tone="warn" title="There is no recovery key yet">
          If you lose this device, your encrypted messages cannot be read again by anyone.
        </Notice>
        <div>
          <Button variant="primary" onPress={() => navigate("/setup")}>
            Make a recovery key
          </Button>
        </div>
      </Section>
    );
  }
  return (
    <Section
      title="Recovery key"
      intro="It opens your encrypted messages on a new device. It is stored nowhere; if you cannot find it, make a new one."
    >
      {status.recoveryKeyName && <Facts facts={[["Present key", status.recoveryKeyName]]} />}
      <div>
        <Button onPress={() => navigate("/setup")}>Make a new recovery key</Button>
      </div>
      <p className={styles.quiet}>The present key stops working when the new one is confirmed.</p>
    </Section>
  );
}

function Backup({ client, status: { backup, facts } }: ClientProps & { status: EncryptionStatus }) {
  const server = useLoaded(useCallback(() => cryptoOf(client).checkKeyBackupAndEnable(), [client]));
  const waiting = backup.remaining ?? 0;
  const state = backup.activeVersion
    ? waiting > 0
      ? `On; ${waiting.toLocaleString()} message keys are on their way`
      : "On; every message key of this device is in it"
    : facts.backupExists
      ? "There is one, but this device cannot write to it"
      : "Off";
  return (
    <Section
      title="Backup of message keys"
      intro="The keys of your messages, encrypted on your devices. The server keeps them and cannot read them."
    >
      <Facts
        facts={[
          ["State", state],
          ["Keys in the backup", server.value?.backupInfo.count.toLocaleString() ?? "–"],
        ]}
      />
    </Section>
  );
}

function NewIdentity() {
  const [, navigate] = useLocation();
  return (
    <Section
      title="New identity"
      intro="Only when you have lost the recovery key and every other device, or when somebody else may have your keys."
    >
      <div>
        <Button onPress={() => navigate("/recover?reset")}>Start with a new identity…</Button>
      </div>
    </Section>
  );
}
