import { Section } from "../../frame/Screen.tsx";
import { useAnswer } from "../../model/queries.ts";
import { Shown } from "../../parts/Shown.tsx";
import { SimpleTable, type SimpleTableProps } from "../../table/SimpleTable.tsx";
import type { Setting } from "./shapes.ts";
import styles from "./Configuration.module.css";

const columns: SimpleTableProps<Setting>["columns"] = [
  {
    id: "name",
    label: "Setting",
    value: ({ name }) => name,
    cell: ({ name, doc }) => (
      <div className={styles["name"]}>
        <code>{name}</code>
        <p>{doc}</p>
      </div>
    ),
  },
  {
    id: "value",
    label: "Value",
    value: ({ value }) => value,
    cell: ({ value, is_secret, from }) =>
      is_secret && from !== "default" ? (
        "set, a secret"
      ) : value === null ? (
        "–"
      ) : (
        <code className={styles["value"]}>{value}</code>
      ),
  },
  { id: "from", label: "From", value: ({ from }) => from },
];

/** The settings of the process that answered, without secrets. */
export function Configuration() {
  const settings = useAnswer<{ items: Setting[] }>("/system/configuration");
  return (
    <Section
      title="Configuration"
      intro="Of the process that answered; secrets are never shown. What must be the same in all processes is compared by the doctor."
    >
      <Shown answer={settings}>
        {({ items }) => <SimpleTable label="Settings" items={items} columns={columns} rowId={({ name }) => name} />}
      </Shown>
    </Section>
  );
}
