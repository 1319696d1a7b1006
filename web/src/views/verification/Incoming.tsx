import type { Other } from "../../models/verification/other.ts";
import { acceptVerification, closeVerification } from "../../models/verification/verification.ts";
import { Button } from "../../ui/Button.tsx";
import { Dialog } from "../../ui/Dialog.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { useSubmit } from "../auth/useSubmit.ts";

/** Somebody asks. It names who, because accepting the wrong request is the one mistake that can be made here. */
export function Incoming({ other }: { other: Other }) {
  const { busy, failure, submit } = useSubmit("other", acceptVerification);
  return (
    <Dialog
      title={other.isOwnDevice ? "Is this you, on a new device?" : `${other.name} wants to verify with you`}
      intro={
        other.isOwnDevice
          ? `“${other.name}” has signed in to your account and asks for your keys. Go on only if it is in front of you.`
          : `${other.userId} asks to compare a few pictures, so that you both know that nobody is in between. Do it over a call or face to face.`
      }
      isOpen
      onClose={closeVerification}
      role="alertdialog"
      size="s"
      actions={
        <>
          <Button onPress={closeVerification}>{other.isOwnDevice ? "It is not me" : "Decline"}</Button>
          <Button variant="primary" busy={busy} onPress={() => submit()}>
            Go on
          </Button>
        </>
      }
    >
      {failure && <Notice tone="danger">{failure.text}</Notice>}
    </Dialog>
  );
}
