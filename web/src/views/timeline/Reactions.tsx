import { Button as AriaButton } from "react-aria-components";
import { names } from "../../models/format/words.ts";
import type { MessageItem, Reaction } from "../../models/timeline/item.ts";
import { cx } from "../../ui/cx.ts";
import { Icon } from "../../ui/Icon.tsx";
import { Tip } from "../../ui/Tooltip.tsx";
import { attempt, toast } from "../../ui/Toast.tsx";
import { useScope } from "./actions.ts";
import styles from "./Reactions.module.css";

/** The reactions in the order in which they came; a press adds or takes away one's own. */
export function Reactions({ item }: { item: MessageItem }) {
  const { timeline, openPicker } = useScope();
  if (item.reactions.length === 0) return null;
  const toggle = ({ key, mine }: Reaction) =>
    attempt("Could not react", async () => {
      const outcome = await timeline.toggleReaction(item.id, key);
      // One that is added stands there already.
      if (outcome === "waiting" && mine) toast("It will be taken away when you are back online");
    });
  return (
    <div className={styles["row"]} role="group" aria-label="Reactions">
      {item.reactions.map((reaction) => (
        <Tip key={reaction.key} label={`${names(reaction.names, 8)} reacted with ${reaction.key}`}>
          <AriaButton
            className={cx(styles["chip"], reaction.mine && styles["mine"])}
            aria-pressed={reaction.mine}
            aria-label={`${reaction.key}, ${reaction.count}`}
            isDisabled={!item.can.react}
            onPress={() => void toggle(reaction)}
          >
            <span className={styles["emoji"]}>{reaction.key}</span>
            {reaction.count}
          </AriaButton>
        </Tip>
      ))}
      {item.can.react && (
        <Tip label="Add a reaction">
          <AriaButton
            className={cx(styles["chip"], styles["add"])}
            aria-label="Add a reaction"
            onPress={(event) => openPicker(item, event.target)}
          >
            <Icon name="react" size={14} />
          </AriaButton>
        </Tip>
      )}
    </div>
  );
}
