import type { MatrixClient } from "matrix-js-sdk";
import { useState } from "react";
import { renameSession, type Session, signOutSessions, type Trust } from "../../models/devices/devices.ts";
import { startDeviceVerification } from "../../models/verification/verification.ts";
import { Button } from "../../ui/Button.tsx";
import { Icon } from "../../ui/Icon.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { Tag } from "../../ui/Tag.tsx";
import { useSubmit } from "../auth/useSubmit.ts";
import { RenameForm } from "./RenameForm.tsx";
import styles from "./DevicesTab.module.css";

interface SessionRowProps {
  client: MatrixClient;
  session: Session;
  onChange: () => void;
}

const TRUST: Record<Trust, { tone: "ok" | "warn" | "neutral"; label: string }> = {
  verified: { tone: "ok", label: "Verified" },
  unverified: { tone: "warn", label: "Not verified" },
  noEncryption: { tone: "neutral", label: "No encryption" },
};

export function SessionRow({ client, session, onChange }: SessionRowProps) {
  const [renaming, setRenaming] = useState(false);
  const trust = TRUST[session.trust];
  const rename = async (name: string) => {
    await renameSession(client, session.deviceId, name);
    setRenaming(false);
    onChange();
  };
  return (
    <li className={styles.row}>
      <Icon name="device" />
      <div className={styles.words}>
        {renaming ? (
          <RenameForm name={session.name} onSave={rename} onCancel={() => setRenaming(false)} />
        ) : (
          <p className={styles.name}>
            {session.name} <Tag tone={trust.tone}>{trust.label}</Tag>
          </p>
        )}
        <p className={styles.meta}>{session.isCurrent ? "In use now" : lastSeen(session)}</p>
        {!renaming && (
          <SessionActions client={client} session={session} onChange={onChange} onRename={() => setRenaming(true)} />
        )}
      </div>
    </li>
  );
}

function SessionActions({ client, session, onChange, onRename }: SessionRowProps & { onRename: () => void }) {
  const verify = useSubmit("other", () => startDeviceVerification(session.deviceId));
  const end = useSubmit("other", async () => {
    await signOutSessions(client, [session.deviceId]);
    onChange();
  });
  const failure = verify.failure ?? end.failure;
  return (
    <>
      <div className={styles.actions}>
        {!session.isCurrent && session.trust === "unverified" && (
          <Button
            variant="link"
            isDisabled={verify.busy}
            onPress={() => verify.submit()}
            aria-label={`Verify ${session.name}`}
          >
            Verify
          </Button>
        )}
        <Button variant="link" onPress={onRename} aria-label={`Rename ${session.name}`}>
          Rename
        </Button>
        {!session.isCurrent && (
          <Button
            variant="link"
            isDisabled={end.busy}
            onPress={() => end.submit()}
            aria-label={`Sign out ${session.name}`}
          >
            Sign out
          </Button>
        )}
      </div>
      {failure && <Notice tone="danger">{failure.text}</Notice>}
    </>
  );
}

function lastSeen({ lastSeenAt_ms, lastSeenIp }: Session): string {
  if (lastSeenAt_ms === undefined) return "Never seen";
  const time = new Date(lastSeenAt_ms).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  return lastSeenIp ? `Last seen ${time} from ${lastSeenIp}` : `Last seen ${time}`;
}
