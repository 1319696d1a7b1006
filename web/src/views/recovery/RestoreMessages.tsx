import type { MatrixClient } from "matrix-js-sdk";
import { useEffect, useState } from "react";
import { restoreBackup, type RestoreProgress } from "../../models/crypto/unlock.ts";
import { type Failure, failureOf } from "../../models/session/failure.ts";
import { Button } from "../../ui/Button.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { Spinner } from "../../ui/Spinner.tsx";
import { Page } from "../auth/Page.tsx";
import form from "../auth/form.module.css";
import styles from "./recovery.module.css";

type Restore =
  | { state: "running"; progress: RestoreProgress }
  | { state: "done"; count: number }
  | { state: "failed"; failure: Failure };

/** The device is trusted; its message keys come in. The person may leave while they do. */
export function RestoreMessages({ client, onLeave }: { client: MatrixClient; onLeave: () => void }) {
  const restore = useRestore(client);
  return (
    <Page
      title={restore.state === "done" ? "Your messages are unlocked" : "Unlocking your messages"}
      width="wide"
      intro="This device is verified: your other devices and your contacts can trust it."
    >
      {restore.state === "running" && <Running progress={restore.progress} />}
      {restore.state === "done" && <Notice tone="ok">{countSentence(restore.count)}</Notice>}
      {restore.state === "failed" && (
        <Notice tone="warn" title="Not all keys came at once">
          {restore.failure.text} Locked messages fetch their keys one by one when you open them.
        </Notice>
      )}
      <div className={form.row}>
        <Button variant="primary" size="large" onPress={onLeave} autoFocus>
          {restore.state === "running" ? "Go on, this continues by itself" : "Go to my rooms"}
        </Button>
      </div>
    </Page>
  );
}

function Running({ progress: { done, total } }: { progress: RestoreProgress }) {
  if (total === 0) return <Spinner label="Fetching message keys…" />;
  return (
    <div>
      <output>{`${done.toLocaleString()} of ${total.toLocaleString()} message keys`}</output>
      <progress className={styles.bar} aria-label="Message keys" value={done} max={total} />
    </div>
  );
}

function countSentence(count: number): string {
  if (count === 0) return "There were no older messages to unlock.";
  return `${count.toLocaleString()} message ${count === 1 ? "key" : "keys"} restored.`;
}

function useRestore(client: MatrixClient): Restore {
  const [restore, setRestore] = useState<Restore>({ state: "running", progress: { done: 0, total: 0 } });
  useEffect(() => {
    let current = true;
    const show = (next: Restore) => current && setRestore(next);
    restoreBackup(client, (progress) => show({ state: "running", progress })).then(
      (count) => show({ state: "done", count }),
      (error: unknown) => show({ state: "failed", failure: failureOf(error, "other") }),
    );
    return () => {
      current = false;
    };
  }, [client]);
  return restore;
}
