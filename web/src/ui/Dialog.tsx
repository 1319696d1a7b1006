import type { ReactNode } from "react";
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from "react-aria-components";
import { IconButton } from "./Button.tsx";
import { cx } from "./cx.ts";
import styles from "./Dialog.module.css";

export interface DialogProps {
  title: string;
  isOpen: boolean;
  onClose: () => void;
  /** One or two sentences under the title. */
  intro?: ReactNode;
  /** Buttons, the main one last. */
  actions?: ReactNode;
  /** `s` 400, `m` 520, `l` 720 pixels wide. */
  size?: "s" | "m" | "l";
  /** `alertdialog` for a question that must be answered; a press outside does not close it. */
  role?: "dialog" | "alertdialog";
  /** False hides the close button and ignores Escape and presses outside: for steps that must not be lost. */
  dismissable?: boolean;
  children?: ReactNode;
}

/** A modal layer. Focus moves in, is held, and goes back to where it was. */
export function Dialog(props: DialogProps) {
  const { title, isOpen, onClose, intro, actions, size = "m", role = "dialog", dismissable = true, children } = props;
  return (
    <ModalOverlay
      isOpen={isOpen}
      onOpenChange={(open) => !open && onClose()}
      isDismissable={dismissable && role === "dialog"}
      isKeyboardDismissDisabled={!dismissable}
      className={styles["overlay"] ?? ""}
    >
      <Modal className={cx(styles["modal"], styles[size])}>
        <AriaDialog role={role} className={styles["dialog"] ?? ""}>
          <header className={styles["header"]}>
            <div className={styles["titles"]}>
              <Heading slot="title" level={2} className={styles["title"] ?? ""}>
                {title}
              </Heading>
              {intro && <p className={styles["intro"]}>{intro}</p>}
            </div>
            {dismissable && role === "dialog" && <IconButton icon="close" label="Close" onPress={onClose} />}
          </header>
          {children && <div className={styles["body"]}>{children}</div>}
          {actions && <footer className={styles["actions"]}>{actions}</footer>}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}
