import { Outlet } from "@tanstack/react-router";
import { Suspense, useState } from "react";
import { Dialog, Modal, ModalOverlay } from "react-aria-components";
import { Confirm } from "./Confirm.tsx";
import { NavContext } from "./nav.ts";
import { Navigation } from "./Navigation.tsx";
import { Acts } from "../parts/ActDialog.tsx";
import { Undo } from "../parts/Undo.tsx";
import { Toasts } from "../../../web/src/ui/Toast.tsx";
import { Loading } from "../parts/States.tsx";
import styles from "./Shell.module.css";

/** The frame that stands around every screen: navigation, the note at the foot, and the layers that any screen may need. */
export function Shell() {
  const [isNavOpen, setNavOpen] = useState(false);
  return (
    <NavContext value={{ open: () => setNavOpen(true) }}>
      <a href="#content" className={styles["skip"]}>
        Skip to content
      </a>
      <div className={styles["shell"]}>
        <aside className={styles["side"]} aria-label="Navigation">
          <Navigation />
        </aside>
        <div className={styles["main"]}>
          <Suspense fallback={<Loading />}>
            <Outlet />
          </Suspense>
          <footer className={styles["footer"]}>Message content is never visible here.</footer>
        </div>
      </div>
      <ModalOverlay isOpen={isNavOpen} onOpenChange={setNavOpen} isDismissable className={styles["overlay"] ?? ""}>
        <Modal className={styles["drawer"] ?? ""}>
          <Dialog aria-label="Navigation" className={styles["drawerBody"] ?? ""}>
            <Navigation onGo={() => setNavOpen(false)} />
          </Dialog>
        </Modal>
      </ModalOverlay>
      <Confirm />
      <Acts />
      <Undo />
      <Toasts />
    </NavContext>
  );
}
