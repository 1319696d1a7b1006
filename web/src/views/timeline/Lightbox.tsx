import { useState } from "react";
import { Dialog, Heading, Modal, ModalOverlay } from "react-aria-components";
import { useMedia } from "../../app/useMedia.ts";
import { bytes } from "../../models/format/size.ts";
import { fullTime } from "../../models/format/time.ts";
import type { ImageBody, MessageItem } from "../../models/timeline/item.ts";
import { IconButton } from "../../ui/Button.tsx";
import { cx } from "../../ui/cx.ts";
import { Spinner } from "../../ui/Spinner.tsx";
import { saveAs } from "./FileCard.tsx";
import { LoadAgain } from "./LoadAgain.tsx";
import styles from "./ImageView.module.css";

/** A picture over everything, as large as the window; a press shows its own pixels. Escape closes. */
export function Lightbox({ body, item, onClose }: { body: ImageBody; item: MessageItem; onClose: () => void }) {
  const state = useMedia(body.full);
  const [zoomed, setZoomed] = useState(false);
  const size = body.full.size_bytes === undefined ? "" : ` · ${bytes(body.full.size_bytes)}`;
  return (
    <ModalOverlay isOpen isDismissable onOpenChange={(open) => !open && onClose()} className={styles["overlay"] ?? ""}>
      <Modal className={styles["dialog"] ?? ""}>
        <Dialog className={styles["dialog"] ?? ""}>
          <header className={styles["bar"]}>
            <div className={styles["title"]}>
              <Heading slot="title" level={2} className={styles["name"] ?? ""}>
                {body.full.name}
              </Heading>
              <p className={styles["detail"]}>
                {item.sender.name} · {fullTime(item.at_ms)}
                {size}
              </p>
            </div>
            {state.phase === "ready" && (
              <IconButton icon="download" label="Save" onPress={() => saveAs(state.url, body.full.name)} />
            )}
            <IconButton icon="close" label="Close" onPress={onClose} />
          </header>
          <div className={cx(styles["stage"], zoomed && styles["zoomed"])}>
            {state.phase === "loading" && <Spinner label="Loading" />}
            {state.phase === "failed" && <LoadAgain onPress={state.retry} />}
            {state.phase === "ready" && (
              // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-noninteractive-element-interactions -- zooming is for the eye; keyboards have the browser's own zoom
              <img src={state.url} alt={body.full.name} onClick={() => setZoomed(!zoomed)} />
            )}
          </div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
