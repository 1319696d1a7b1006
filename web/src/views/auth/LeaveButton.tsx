import { useState } from "react";
import { countKept, unsentLoss } from "../../models/session/loss.ts";
import { Button, type ButtonProps } from "../../ui/Button.tsx";
import { Dialog } from "../../ui/Dialog.tsx";

interface LeaveButtonProps {
  children: string;
  variant?: ButtonProps["variant"];
  onLeave: () => Promise<void>;
}

/** Signs out where no client runs. It asks before where messages that were not sent would be lost by it. */
export function LeaveButton({ children, variant, onLeave }: LeaveButtonProps) {
  const [loss, setLoss] = useState<string | null>(null);
  const press = async () => {
    const found = unsentLoss(await countKept());
    if (found === null) await onLeave();
    else setLoss(found);
  };
  return (
    <>
      <Button {...(variant && { variant })} onPress={() => void press()}>
        {children}
      </Button>
      <Dialog
        title="Sign out of this browser?"
        intro={loss}
        isOpen={loss !== null}
        onClose={() => setLoss(null)}
        size="s"
        role="alertdialog"
        actions={
          <>
            <Button onPress={() => setLoss(null)}>Stay signed in</Button>
            <Button variant="danger" onPress={() => void onLeave()}>
              Sign out
            </Button>
          </>
        }
      />
    </>
  );
}
