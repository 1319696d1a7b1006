import { useMessenger, useSnapshot } from "./context.ts";
import { useLayers } from "./layers.ts";
import { Button } from "../ui/Button.tsx";
import styles from "./Shell.module.css";

/** What stands beside an empty list: the three ways to begin. */
export function Welcome() {
  const messenger = useMessenger();
  const me = useSnapshot(messenger.me);
  const { open } = useLayers();
  return (
    <main className={styles["welcome"]}>
      <h1>Welcome, {me.name}</h1>
      <p>
        Nothing is here yet. Write to someone, make a channel for a few people, or look at what is open to everyone.
      </p>
      <div className={styles["ways"]}>
        <Button variant="primary" size="large" icon="person" onPress={() => open({ layer: "direct" })}>
          Message someone
        </Button>
        <Button size="large" icon="plus" onPress={() => open({ layer: "create" })}>
          New channel
        </Button>
        <Button size="large" icon="search" onPress={() => open({ layer: "browse" })}>
          Browse channels
        </Button>
      </div>
    </main>
  );
}
