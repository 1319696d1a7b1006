import type { ReactNode } from "react";
import { Dialog, Heading, Modal, ModalOverlay } from "react-aria-components";
import { IconButton } from "../../../web/src/ui/Button.tsx";
import styles from "./Sheet.module.css";

/** One row of a list in full, at the side. Escape and a press beside it close it. */
export function Sheet({
  title,
  onClose,
  actions,
  children,
}: {
  title: string;
  onClose: () => void;
  actions?: ReactNode;
  children: ReactNode;
}) {
  return (
    <ModalOverlay
      isOpen
      isDismissable
      onOpenChange={(isOpen) => !isOpen && onClose()}
      className={styles["overlay"] ?? ""}
    >
      <Modal className={styles["modal"] ?? ""}>
        <Dialog className={styles["sheet"] ?? ""}>
          <header className={styles["header"]}>
            <Heading slot="title" level={2} className={styles["title"] ?? ""}>
              {title}
            </Heading>
            <IconButton icon="close" label="Close" onPress={onClose} />
          </header>
          <div className={styles["body"]}>{children}</div>
          {actions && <footer className={styles["actions"]}>{actions}</footer>}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
