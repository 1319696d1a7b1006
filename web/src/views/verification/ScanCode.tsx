import { useState } from "react";
import type { Other } from "../../models/verification/other.ts";
import { closeVerification, giveScannedCode } from "../../models/verification/verification.ts";
import { Button } from "../../ui/Button.tsx";
import { Dialog } from "../../ui/Dialog.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { useCamera } from "./useCamera.ts";
import styles from "./verification.module.css";

export function ScanCode({ other, onBack }: { other: Other; onBack: () => void }) {
  const [wrong, setWrong] = useState(false);
  const { video, problem } = useCamera((bytes) => {
    giveScannedCode(bytes).catch(() => setWrong(true));
  });
  return (
    <Dialog
      title="Scan the code"
      intro={`Hold the code that ${other.isOwnDevice ? "your other device" : other.name} shows in front of the camera.`}
      isOpen
      onClose={closeVerification}
      role="alertdialog"
      actions={<Button onPress={onBack}>Back</Button>}
    >
      {problem ? (
        <Notice tone="danger">{problem}</Notice>
      ) : (
        <video ref={video} className={styles.camera} aria-label="Camera" muted playsInline />
      )}
      {wrong && (
        <Notice tone="warn">
          That is the code of something else. Scan the one that is shown for this verification.
        </Notice>
      )}
    </Dialog>
  );
}
