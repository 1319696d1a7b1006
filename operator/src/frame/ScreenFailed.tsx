import { Button } from "../../../web/src/ui/Button.tsx";
import { Notice } from "../../../web/src/ui/Notice.tsx";
import { Screen } from "./Screen.tsx";
import styles from "./Screen.module.css";

/** A screen that could not be drawn or whose code could not be fetched, as after an update of the server. The frame stays. */
export function ScreenFailed({ reset }: { reset: () => void }) {
  return (
    <Screen title="This screen could not be drawn">
      <div className={styles["section"]}>
        <Notice tone="danger" action={<Button onPress={() => location.reload()}>Reload</Button>}>
          Nothing was changed on the server. After an update of the server the page must be loaded anew.
        </Notice>
        <Button variant="link" onPress={reset}>
          Try without loading
        </Button>
      </div>
    </Screen>
  );
}
