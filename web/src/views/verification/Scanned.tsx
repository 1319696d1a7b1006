import type { Other } from "../../models/verification/other.ts";
import { closeVerification, confirmMatch, reportMismatch } from "../../models/verification/verification.ts";
import { Button } from "../../ui/Button.tsx";
import { Dialog } from "../../ui/Dialog.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { useSubmit } from "../auth/useSubmit.ts";

/** Our code was scanned; the person says whether it was by the right device. */
export function Scanned({ other }: { other: Other }) {
  const { busy, failure, submit } = useSubmit("other", confirmMatch);
  const there = other.isOwnDevice ? "your other device" : `${other.name}’s device`;
  return (
    <Dialog
      title="The code was scanned"
      intro={`Does ${there} say that it scanned the code?`}
      isOpen
      onClose={closeVerification}
      role="alertdialog"
      size="s"
      actions={
        <>
          <Button onPress={reportMismatch}>No</Button>
          <Button variant="primary" busy={busy} onPress={() => submit()}>
            Yes
          </Button>
        </>
      }
    >
      {failure && <Notice tone="danger">{failure.text}</Notice>}
    </Dialog>
  );
}
