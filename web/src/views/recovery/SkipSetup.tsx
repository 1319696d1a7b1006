import { useState } from "react";
import { Button } from "../../ui/Button.tsx";
import { Dialog } from "../../ui/Dialog.tsx";

/** Going on without a recovery key, with what that means said once. */
export function SkipSetup({ onSkip }: { onSkip: () => void }) {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Button variant="link" onPress={() => setAsking(true)}>
        Not now
      </Button>
      <Dialog
        title="Go on without a recovery key?"
        intro="You can read and write. But if this browser's data is deleted and you have no other device, your encrypted messages cannot be read again by anyone. You can make a key later in the settings."
        isOpen={asking}
        onClose={() => setAsking(false)}
        size="s"
        role="alertdialog"
        actions={
          <>
            <Button onPress={onSkip}>Go on without</Button>
            <Button variant="primary" onPress={() => setAsking(false)} autoFocus>
              Back to the key
            </Button>
          </>
        }
      />
    </>
  );
}
