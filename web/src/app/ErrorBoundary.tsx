import { Component, type ReactNode } from "react";
import { Page } from "../views/auth/Page.tsx";
import { Button } from "../ui/Button.tsx";

/** What is shown when a view fails: a sentence and a way on, never an empty page. React asks for a class here. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children;
    return (
      <Page
        title="Something went wrong here"
        intro="This page could not be drawn. Your messages and keys are untouched; what you had typed is kept as a draft."
      >
        <div>
          <Button variant="primary" onPress={() => location.assign("/")} autoFocus>
            Open Parley again
          </Button>
        </div>
      </Page>
    );
  }
}
