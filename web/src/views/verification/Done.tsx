import type { Other } from "../../models/verification/other.ts";
import { closeVerification } from "../../models/verification/verification.ts";
import { Button } from "../../ui/Button.tsx";
import { Dialog } from "../../ui/Dialog.tsx";
import { Notice } from "../../ui/Notice.tsx";

export function Done({ other }: { other: Other }) {
  return (
    <Dialog
      title="Verified"
      isOpen
      onClose={closeVerification}
      size="s"
      actions={
        <Button variant="primary" onPress={closeVerification} autoFocus>
          Done
        </Button>
      }
    >
      <Notice tone="ok">
        {other.isOwnDevice
          ? "Your two devices trust each other and share their keys."
          : `You have verified ${other.name}. If a new device or identity of theirs appears, you will be told.`}
      </Notice>
    </Dialog>
  );
}
