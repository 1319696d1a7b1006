import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { Button, IconButton } from "../../../../web/src/ui/Button.tsx";
import { Field } from "../../../../web/src/ui/Field.tsx";
import { useOperator } from "../../frame/context.ts";
import type { Search } from "../../model/search.ts";
import { dropView, keepView, readViews } from "./kept-views.ts";
import { askedBy } from "./questions.ts";
import styles from "./Graph.module.css";

/** What was kept under a name, and what is shown now to keep it too. */
export function SavedViews({ search }: { search: Search }) {
  const { user_id: userId } = useOperator();
  const [views, setViews] = useState(() => readViews(userId));
  const [name, setName] = useState<string>();
  const asked = askedBy(search);
  if (views.length === 0 && !asked) return null;
  const save = () => {
    if (!name?.trim()) return;
    setViews(keepView(userId, { name: name.trim(), search }));
    setName(undefined);
  };
  return (
    <section className={styles["saved"]} aria-label="Saved views">
      <h2 className={styles["heading"]}>Saved views</h2>
      <ul className={styles["list"]}>
        {views.map((view) => (
          <li key={view.name} className={styles["savedView"]}>
            <Link to="." search={view.search as never}>
              {view.name}
            </Link>
            <IconButton
              icon="close"
              label={`Forget ${view.name}`}
              size="compact"
              onPress={() => setViews(dropView(userId, view.name))}
            />
          </li>
        ))}
      </ul>
      {asked && name === undefined && (
        <Button size="compact" onPress={() => setName(asked.question.label)}>
          Save this view
        </Button>
      )}
      {name !== undefined && (
        <form
          className={styles["saving"]}
          onSubmit={(event) => {
            event.preventDefault();
            save();
          }}
        >
          <Field label="Name of this view" value={name} onChange={setName} autoFocus />
          <Button size="compact" type="submit" variant="primary" isDisabled={name.trim() === ""}>
            Save
          </Button>
        </form>
      )}
    </section>
  );
}
