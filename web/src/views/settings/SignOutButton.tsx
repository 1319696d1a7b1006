import { useState } from "react";
import { useMessenger, useSnapshot } from "../../app/context.ts";
import { needOf } from "../../models/crypto/need.ts";
import { useEncryptionStatus } from "../../models/crypto/status.ts";
import { unsentLoss } from "../../models/session/loss.ts";
import { Button } from "../../ui/Button.tsx";
import { Dialog } from "../../ui/Dialog.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { useSubmit } from "../auth/useSubmit.ts";

/** Signs out, and says before what will be lost: nothing, unless the keys of this device are nowhere else. */
export function SignOutButton({ onSignOut }: { onSignOut: (options?: { force?: boolean }) => Promise<void> }) {
  const [asking, setAsking] = useState(false);
  const { busy, failure, submit } = useSubmit("other", () => onSignOut());
  const keys = useLoss();
  const unsent = useUnsent();
  const warning = [unsent, keys].filter((each) => each !== null).join(" ");
  return (
    <div>
      <Button icon="leave" onPress={() => setAsking(true)}>
        Sign out
      </Button>
      <Dialog
        title="Sign out of this browser?"
        intro={warning || "To read your encrypted messages again you need your recovery key or another device."}
        isOpen={asking}
        onClose={() => setAsking(false)}
        size="s"
        role="alertdialog"
        actions={
          <>
            <Button onPress={() => setAsking(false)}>Stay signed in</Button>
            <Button variant={warning ? "danger" : "primary"} busy={busy} onPress={() => submit()}>
              Sign out
            </Button>
          </>
        }
      >
        {failure && (
          <Notice
            tone="danger"
            action={
              <Button size="compact" onPress={() => void onSignOut({ force: true })}>
                Sign out anyway
              </Button>
            }
          >
            {failure.text} The session would stay in your list of devices.
          </Notice>
        )}
      </Dialog>
    </div>
  );
}

/** The messages that a sign-out would lose, as a sentence. They are counted again with each that goes, or comes. */
function useUnsent(): string | null {
  const messenger = useMessenger();
  useSnapshot(messenger.outbox);
  return unsentLoss(messenger.unsent());
}

/** The keys that a sign-out would lose, as a sentence; null when everything can be had again. */
function useLoss(): string | null {
  const { status } = useEncryptionStatus();
  if (!status) return null;
  if (needOf(status.facts) === "create") {
    return "There is no recovery key. If this is your only device, your encrypted messages cannot be read again by anyone.";
  }
  const waiting = status.backup.remaining ?? 0;
  if (waiting === 0) return null;
  return `${waiting} message ${waiting === 1 ? "key is" : "keys are"} not in the backup yet and would be lost. Wait a moment, or sign out all the same.`;
}
