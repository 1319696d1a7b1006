import { type ActiveVerification, closeVerification, useVerification } from "../../models/verification/verification.ts";
import { Button } from "../../ui/Button.tsx";
import { Dialog } from "../../ui/Dialog.tsx";
import { Spinner } from "../../ui/Spinner.tsx";
import { Cancelled } from "./Cancelled.tsx";
import { ChooseMethod } from "./ChooseMethod.tsx";
import { CompareEmoji } from "./CompareEmoji.tsx";
import { Done } from "./Done.tsx";
import { Incoming } from "./Incoming.tsx";
import { Scanned } from "./Scanned.tsx";

/** Shows the verification that is under way, wherever in the app the person is. */
export function VerificationLayer() {
  const { active } = useVerification();
  return active && <Step active={active} />;
}

function Step({ active: { other, view } }: { active: ActiveVerification }) {
  switch (view.step) {
    case "incoming":
      return <Incoming other={other} />;
    case "waiting":
      return (
        <Waiting
          title={other.isOwnDevice ? "Look at your other device" : `Waiting for ${other.name}`}
          text={
            other.isOwnDevice
              ? "A question has appeared there, in every tab and app where you are signed in. Accept it to go on."
              : "A question has appeared in your direct conversation; if that is new, it has to be accepted first. The question stands for ten minutes."
          }
        />
      );
    case "choose":
      return <ChooseMethod other={other} code={view.code} canScan={view.canScan} />;
    case "connecting":
      return <Waiting title="One moment" text="The two devices agree on what to show." />;
    case "compare":
      return <CompareEmoji other={other} sas={view.sas} />;
    case "scanned":
      return <Scanned other={other} />;
    case "confirming":
      return <Waiting title="Almost done" text={`Waiting for ${other.name} to confirm.`} />;
    case "done":
      return <Done other={other} />;
    case "cancelled":
      return <Cancelled other={other} cause={view.cause} />;
  }
}

function Waiting({ title, text }: { title: string; text: string }) {
  return (
    <Dialog
      title={title}
      isOpen
      onClose={closeVerification}
      role="alertdialog"
      size="s"
      actions={<Button onPress={closeVerification}>Cancel</Button>}
    >
      <Spinner label={text} />
    </Dialog>
  );
}
