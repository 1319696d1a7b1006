import { lazy, Suspense, useState } from "react";
import type { Other } from "../../models/verification/other.ts";
import { closeVerification, compareEmoji } from "../../models/verification/verification.ts";
import { Button } from "../../ui/Button.tsx";
import { Dialog } from "../../ui/Dialog.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { useSubmit } from "../auth/useSubmit.ts";
import styles from "./verification.module.css";

// Drawing and reading codes takes fifty kilobytes, which few people ever need.
const QrCode = lazy(async () => ({ default: (await import("./QrCode.tsx")).QrCode }));
const ScanCode = lazy(async () => ({ default: (await import("./ScanCode.tsx")).ScanCode }));

/** Both sides are there. A code is quickest where one of them has a camera; pictures always work. */
export function ChooseMethod({
  other,
  code,
  canScan,
}: {
  other: Other;
  code: Uint8ClampedArray | null;
  canScan: boolean;
}) {
  const [scanning, setScanning] = useState(false);
  const { busy, failure, submit } = useSubmit("other", compareEmoji);
  if (scanning) {
    return (
      <Suspense>
        <ScanCode other={other} onBack={() => setScanning(false)} />
      </Suspense>
    );
  }
  return (
    <Dialog
      title={other.isOwnDevice ? "Verify the other device" : `Verify ${other.name}`}
      intro={introOf(other, code !== null, canScan)}
      isOpen
      onClose={closeVerification}
      role="alertdialog"
      actions={
        <>
          <Button onPress={closeVerification}>Cancel</Button>
          {canScan && (
            <Button icon="camera" onPress={() => setScanning(true)}>
              Scan their code
            </Button>
          )}
          <Button variant={code ? "secondary" : "primary"} busy={busy} onPress={() => submit()}>
            Compare pictures
          </Button>
        </>
      }
    >
      {code && (
        <div className={styles.code}>
          <Suspense>
            <QrCode bytes={code} />
          </Suspense>
        </div>
      )}
      {failure && <Notice tone="danger">{failure.text}</Notice>}
    </Dialog>
  );
}

function introOf(other: Other, hasCode: boolean, canScan: boolean): string {
  const there = other.isOwnDevice ? "the other device" : `${other.name}’s device`;
  if (hasCode) return `Scan this code with ${there}, or compare a few pictures instead.`;
  if (canScan) return `Scan the code that ${there} shows, or compare a few pictures instead.`;
  return `Compare a few pictures with ${there}.`;
}
