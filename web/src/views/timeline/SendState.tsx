import { names } from "../../models/format/words.ts";
import type { MessageItem, Person } from "../../models/timeline/item.ts";
import { Button } from "../../ui/Button.tsx";
import { Icon } from "../../ui/Icon.tsx";
import { attempt } from "../../ui/Toast.tsx";
import { Face } from "../room/Face.tsx";
import { useScope } from "./actions.ts";
import styles from "./SendState.module.css";

/** More faces than this are a number. */
const FACES = 5;

/** How an own message stands: on its way, waiting for the network, failed with its reason, where it has arrived, or seen by whom. */
export function SendState({ item }: { item: MessageItem }) {
  const { timeline } = useScope();
  switch (item.status) {
    case "sending":
      return (
        <p className={styles["sending"]}>
          <Icon name="clock" size={12} />
          <span className="visuallyHidden">Sending</span>
        </p>
      );
    case "waiting":
      return (
        <p className={styles["waiting"]}>
          <Icon name="clock" size={12} />
          Will send when you are back online
        </p>
      );
    case "failed":
      return (
        <p className={styles["failed"]} role="alert">
          <Icon name="alert" size={12} />
          <span>Not sent{item.failure ? `: ${item.failure}` : ""}</span>
          <Button
            variant="link"
            size="compact"
            onPress={() => void attempt("Not sent", () => timeline.retry(item.key))}
          >
            Retry
          </Button>
          <Button variant="link" size="compact" onPress={() => timeline.discard(item.key)}>
            Discard
          </Button>
        </p>
      );
    case "sent":
      return item.seenBy.length > 0 ? <Seen people={item.seenBy} /> : <Arrived how={item.arrived} />;
  }
}

/** One tick: the server has it. Two: a device of every other member does. */
function Arrived({ how }: { how: MessageItem["arrived"] }) {
  if (how === undefined) return null;
  const text = how === "delivered" ? "Delivered" : "Sent";
  return (
    <p className={styles["seen"]} title={text}>
      <Icon name={how === "delivered" ? "checks" : "check"} size={12} />
      <span className="visuallyHidden">{text}</span>
    </p>
  );
}

function Seen({ people }: { people: Person[] }) {
  const text = `Seen by ${names(people.map(({ name }) => name))}`;
  return (
    <p className={styles["seen"]} title={text}>
      <span className={styles["faces"]} aria-hidden="true">
        {people.slice(0, FACES).map((person) => (
          <Face key={person.id} person={person} size={16} />
        ))}
      </span>
      {people.length > FACES && <span aria-hidden="true">+{people.length - FACES}</span>}
      <span className="visuallyHidden">{text}</span>
    </p>
  );
}
