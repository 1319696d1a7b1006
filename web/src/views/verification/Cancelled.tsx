import type { CancelCause } from "../../models/verification/flow.ts";
import type { Other } from "../../models/verification/other.ts";
import {
  closeVerification,
  startOwnVerification,
  startUserVerification,
} from "../../models/verification/verification.ts";
import { Button } from "../../ui/Button.tsx";
import { Dialog } from "../../ui/Dialog.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { useSubmit } from "../auth/useSubmit.ts";

/** A verification that did not come about: why, and what to do now. */
export function Cancelled({ other, cause }: { other: Other; cause: CancelCause }) {
  const again = useSubmit("other", () =>
    other.isOwnDevice ? startOwnVerification() : startUserVerification(other.userId),
  );
  const { title, text } = explain(cause, other);
  return (
    <Dialog
      title={title}
      isOpen
      onClose={closeVerification}
      role={cause === "mismatch" ? "alertdialog" : "dialog"}
      size="s"
      actions={
        <>
          {cause !== "mismatch" && (
            <Button busy={again.busy} onPress={() => again.submit()}>
              Ask again
            </Button>
          )}
          <Button variant="primary" onPress={closeVerification} autoFocus>
            Close
          </Button>
        </>
      }
    >
      <Notice tone={cause === "mismatch" ? "danger" : "info"}>{text}</Notice>
      {again.failure && <Notice tone="danger">{again.failure.text}</Notice>}
    </Dialog>
  );
}

function explain(cause: CancelCause, other: Other): { title: string; text: string } {
  switch (cause) {
    case "mismatch":
      return {
        title: "They did not match",
        text: other.isOwnDevice
          ? "Nothing was verified. Somebody may be between your devices: do not enter your recovery key there, change your password, sign the other device out in the settings, and tell your administrator."
          : `Nothing was verified. Somebody may be between you and ${other.name}, or the wrong device was compared. Tell them over another channel, and tell your administrator if it happens again.`,
      };
    case "expired":
      return {
        title: "Time ran out",
        text: "Nobody answered in time. Nothing changed; ask again when you are both ready.",
      };
    case "declined":
      return {
        title: "It was declined",
        text: `${other.isOwnDevice ? "The other device" : other.name} did not go on. Nothing changed.`,
      };
    case "unanswered":
    case "failed":
      return {
        title: "It did not work",
        text: "The two devices could not agree on a way to verify. Nothing changed; you can ask again.",
      };
  }
}
