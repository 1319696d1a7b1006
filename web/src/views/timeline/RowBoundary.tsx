import { Component, type ReactNode } from "react";
import styles from "./Rows.module.css";

/** One message that cannot be drawn must not take the others with it. React asks for a class here. */
export class RowBoundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children;
    return <p className={styles["system"]}>This message could not be shown.</p>;
  }
}
