import { Component, type ReactNode } from "react";
import { Button } from "../../../web/src/ui/Button.tsx";
import styles from "./SignIn.module.css";

/** What is shown when a screen fails: a sentence and a way on, never an empty page. React asks for a class here. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children;
    return (
      <main className={styles["page"]}>
        <div className={styles["form"]}>
          <h1 className={styles["title"]}>This page could not be drawn</h1>
          <p className={styles["intro"]}>Nothing was changed on the server. The browser's console has the cause.</p>
          <Button variant="primary" onPress={() => location.assign("/admin/")} autoFocus>
            Open the console again
          </Button>
        </div>
      </main>
    );
  }
}
