/** What a screen shows in place of its content: loading, empty, no match, failed, forbidden. The same everywhere. */
import type { ReactNode } from "react";
import { Button } from "../../../web/src/ui/Button.tsx";
import { Icon, type IconName } from "../../../web/src/ui/Icon.tsx";
import { Problem, Unreachable } from "../api.ts";
import { useAnswer } from "../model/queries.ts";
import { sentenceOf } from "./words.ts";
import styles from "./States.module.css";

const ROWS = 8;

/** Grey rows where rows will be. */
export function Loading() {
  return (
    <div className={styles["loading"]} role="status" aria-label="Loading">
      {Array.from({ length: ROWS }, (_, index) => (
        <div key={index} className={styles["skeleton"]} />
      ))}
    </div>
  );
}

function Block({
  icon,
  title,
  children,
  action,
}: {
  icon: IconName;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className={styles["block"]}>
      <Icon name={icon} size={20} />
      <div className={styles["words"]}>
        <p className={styles["title"]}>{title}</p>
        {children}
      </div>
      {action && <div className={styles["action"]}>{action}</div>}
    </div>
  );
}

/** Nothing is there: one sentence, and what brings something there. */
export function Empty({ children, action }: { children: string; action?: ReactNode }) {
  return <Block icon="info" title={children} action={action} />;
}

/** Filters that let nothing through. */
export function NoMatch({ onClear }: { onClear: () => void }) {
  return (
    <Block
      icon="search"
      title="Nothing matches these filters."
      action={
        <Button size="compact" onPress={onClear}>
          Clear filters
        </Button>
      }
    />
  );
}

/** A question that was not answered, with what the server's log knows it by. */
export function Failed({ error, onRetry }: { error: Error; onRetry: () => void }) {
  if (error instanceof Problem && error.errcode === "M_FORBIDDEN") return <Forbidden problem={error} />;
  const retry = (
    <Button size="compact" icon="refresh" onPress={onRetry}>
      Retry
    </Button>
  );
  return (
    <div role="alert">
      <Block
        icon="alert"
        title={error instanceof Unreachable ? "The server cannot be reached." : sentenceOf(error)}
        action={retry}
      >
        {error instanceof Problem && error.requestId && (
          <p className={styles["detail"]}>
            {error.errcode} · request <code>{error.requestId}</code>
          </p>
        )}
      </Block>
    </div>
  );
}

/** What the operator's role does not hold. */
function Forbidden({ problem }: { problem: Problem }) {
  const role = problem.fields["required_role"];
  return typeof role === "string" ? <NeedsRole least={role} /> : <Block icon="lock" title={problem.message} />;
}

/** Which role it takes, and who has it: where that is an operator's everybody with more may do it too; owners are always among them. */
export function NeedsRole({ least, children }: { least: string; children?: ReactNode }) {
  const { data } = useAnswer<{ items: { user_id: string }[] }>("/users", { query: { role: "owner", limit: 10 } });
  const names = data?.items.map(({ user_id }) => user_id) ?? [];
  return (
    <Block icon="lock" title={`This needs the role ${least}.`}>
      {children}
      {names.length > 0 && (
        <p className={styles["detail"]}>Owners can do it, or give you the role: {names.join(", ")}</p>
      )}
    </Block>
  );
}
