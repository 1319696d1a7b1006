import { useState } from "react";
import type { TimelineModel } from "../../models/room/model.ts";
import type { MessageItem } from "../../models/timeline/item.ts";
import { Button } from "../../ui/Button.tsx";
import { Dialog } from "../../ui/Dialog.tsx";
import { Field } from "../../ui/Field.tsx";
import { attempt, toast } from "../../ui/Toast.tsx";
import { RichText } from "./RichText.tsx";

/** Asks before a message is deleted for everyone: it cannot be undone. */
export function DeleteDialog({
  item,
  timeline,
  onClose,
}: {
  item: MessageItem;
  timeline: TimelineModel;
  onClose: () => void;
}) {
  const [reason, setReason] = useState("");
  const remove = () => {
    onClose();
    void attempt("Not deleted", async () => {
      const outcome = await timeline.redact(item.id, reason.trim() || undefined);
      if (outcome === "waiting") toast("It will be deleted when you are back online");
    });
  };
  return (
    <Dialog
      title="Delete this message?"
      intro="It is deleted for everyone here. What others have copied or seen stays with them."
      isOpen
      onClose={onClose}
      size="s"
      role="alertdialog"
      actions={
        <>
          <Button onPress={onClose}>Keep</Button>
          <Button variant="danger" onPress={remove}>
            Delete
          </Button>
        </>
      }
    >
      {item.text && <RichText nodes={[{ t: "quote", c: [{ t: "text", v: item.text.slice(0, 280) }] }]} />}
      {!item.mine && <Field label="Reason (everyone sees it)" value={reason} onChange={setReason} />}
    </Dialog>
  );
}
